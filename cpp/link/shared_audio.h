// SPDX-License-Identifier: MIT
// The memory that the host process and the engine process share: creation, mapping
// and checking. What the numbers in it mean is said in engine_protocol.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/sample_ring.h"
#include "core/stems.h"
#include "link/engine_protocol.h"

namespace stemlane {

/// Owns one mapping of the shared memory and its descriptor.
class SharedAudio {
 public:
  /// Creates zeroed memory, all pages present (so that the audio thread never faults
  /// them in). Returns null and sets `error` if the system refuses. Control thread.
  static std::unique_ptr<SharedAudio> create(int num_channels, int num_stems, std::int64_t capacity_samples,
                                             std::string& error);

  /// Maps memory made by another process after checking size, version and bounds.
  /// Takes `descriptor` over. Returns null and sets `error` if anything is off.
  static std::unique_ptr<SharedAudio> open(int descriptor, std::string& error);

  /// Writes what describes the memory anew, for an engine that is started after another
  /// one may have written over it. Any thread of the side that made it.
  void restore_description() const noexcept;

  ~SharedAudio();
  SharedAudio(const SharedAudio&) = delete;
  SharedAudio& operator=(const SharedAudio&) = delete;

  SharedHeader& header() const noexcept { return *static_cast<SharedHeader*>(memory_); }
  int descriptor() const noexcept { return descriptor_; }
  int num_channels() const noexcept { return num_channels_; }
  int num_stems() const noexcept { return num_stems_; }
  std::int64_t capacity() const noexcept { return capacity_; }

  /// One plane per channel.
  const SampleRing& mixture() const noexcept { return mixture_; }
  /// Plane of stem s, channel c: s * num_channels + c.
  const SampleRing& stems() const noexcept { return stems_; }

 private:
  SharedAudio(int descriptor, void* memory, std::size_t num_bytes, int num_channels, int num_stems,
              std::int64_t capacity) noexcept;

  int descriptor_;
  void* memory_;
  std::size_t num_bytes_;
  // Copies: the header could be overwritten by the other side.
  int num_channels_;
  int num_stems_;
  std::int64_t capacity_;
  SampleRing mixture_;
  SampleRing stems_;
};

}  // namespace stemlane
