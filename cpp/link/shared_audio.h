// SPDX-License-Identifier: MIT
// The memory that the host process and the engine process share, and the events that wake them
// while rendering offline. What the numbers in it mean is said in engine_protocol.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/sample_ring.h"
#include "core/stems.h"
#include "link/engine_protocol.h"
#include "platform/event.h"
#include "platform/shared_memory.h"

namespace stemlane {

/// One side's view of the shared memory.
class SharedAudio {
 public:
  /// Creates zeroed memory, all pages present (so that the audio thread never faults
  /// them in). Returns null and sets `error` if the system refuses. Control thread.
  static std::unique_ptr<SharedAudio> create(int num_channels, int num_stems, std::int64_t capacity_samples,
                                             std::string& error);

  /// Maps memory made by another process after checking size, version and bounds.
  /// Returns null and sets `error` if anything is off.
  static std::unique_ptr<SharedAudio> open(OwnedHandle memory, Event mixture_written, Event stems_written,
                                           std::string& error);

  /// Writes what describes the memory anew, for an engine that is started after another
  /// one may have written over it. Any thread of the side that made it.
  void restore_description() const noexcept;

  SharedAudio(const SharedAudio&) = delete;
  SharedAudio& operator=(const SharedAudio&) = delete;

  SharedHeader& header() const noexcept { return *static_cast<SharedHeader*>(memory_.data()); }
  NativeHandle handle() const noexcept { return memory_.handle(); }
  int num_channels() const noexcept { return num_channels_; }
  int num_stems() const noexcept { return num_stems_; }
  std::int64_t capacity() const noexcept { return capacity_; }

  /// Signalled by the host, and by the engine; offline only: in real time the engine polls.
  Event& mixture_written() noexcept { return mixture_written_; }
  Event& stems_written() noexcept { return stems_written_; }

  /// One plane per channel.
  const SampleRing& mixture() const noexcept { return mixture_; }
  /// Plane of stem s, channel c: s * num_channels + c.
  const SampleRing& stems() const noexcept { return stems_; }
  /// One plane per separated stem, then one for the residual stem; position p has the value of slot p / grid.
  const SampleRing& focus() const noexcept { return focus_; }

 private:
  SharedAudio(SharedMemory memory, Event mixture_written, Event stems_written, int num_channels,
              int num_stems, std::int64_t capacity) noexcept;

  SharedMemory memory_;
  Event mixture_written_;
  Event stems_written_;
  // Copies: the header could be overwritten by the other side.
  int num_channels_;
  int num_stems_;
  std::int64_t capacity_;
  SampleRing mixture_;
  SampleRing stems_;
  SampleRing focus_;
};

}  // namespace stemlane
