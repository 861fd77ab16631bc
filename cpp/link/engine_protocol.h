// SPDX-License-Identifier: MIT
// The contract between the host process and the engine process: the layout of the
// shared memory, the messages on the channel, and their versions. Both sides are built
// from this file; each treats what the other wrote as untrusted input.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stemlane {

inline constexpr std::uint32_t kProtocolMagic = 0x4E4C5453;  // "STLN"
inline constexpr std::uint32_t kProtocolVersion = 6;

/// What the engine process inherits beside its channel, in this order: see platform/process.h.
enum Inheritance : int { kMemoryHandle, kMixtureWrittenHandle, kStemsWrittenHandle, kNumHandles };

static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// How many of the engine's last steps can be read back.
inline constexpr std::size_t kNumStepTimes = 256;

/// Start of the shared memory. Positions count samples since `prepare` and never go
/// back; a new generation (reset, seek) starts at the next position. Behind the header,
/// at `kAudioOffset`, lie `num_channels` mixture rings, then `num_stems * num_channels`
/// stem rings, each of `capacity_samples` float32, then `num_stems + 1` rings of the stems'
/// focus, the residual stem's last, with one float32 every `kFocusGridSamples`.
///
/// The mixture of [mixture_end - capacity, mixture_end) is readable by the engine; stems
/// of [stems_begin, stems_end) are readable by the host if `stems_generation` is the start
/// of the current one. Order of the stores is given where they are made, in engine_link.h.
struct SharedHeader {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t num_channels;
  std::uint32_t num_stems;
  std::int64_t capacity_samples;

  // Written by the host.
  alignas(64) std::atomic<std::int64_t> mixture_end;
  std::atomic<std::int64_t> generation_start;  ///< the generation's first position, and its name
  std::atomic<std::uint32_t> offline;
  std::atomic<std::uint32_t> wanted;          ///< 0: nobody hears stems, the engine may sleep
  std::atomic<std::int64_t> resume_position;  ///< where an engine goes on that wakes up too late for all
  std::atomic<std::int64_t> block_samples;    ///< longest block, announced or seen; 0: none is known

  // Written by the engine.
  alignas(64) std::atomic<std::int64_t> stems_begin;
  std::atomic<std::int64_t> stems_end;
  std::atomic<std::int64_t> stems_generation;
  std::atomic<std::uint64_t> num_steps;  ///< for measurements only, as the times below
  std::atomic<std::uint32_t> step_microseconds[kNumStepTimes];
  std::atomic<std::uint32_t> step_samples[kNumStepTimes];           ///< music that the step has taken
  std::atomic<std::uint32_t> step_deadline_samples[kNumStepTimes];  ///< see core/strides.h
};

inline constexpr std::size_t kAudioOffset = 4096;
static_assert(sizeof(SharedHeader) <= kAudioOffset);

/// Host to engine, once, right after the start.
struct ConfigureMessage {
  std::uint32_t magic = kProtocolMagic;
  std::uint32_t version = kProtocolVersion;
  double sample_rate = 0.0;
  std::uint32_t num_channels = 0;
  std::int32_t stride_samples = 0;
  std::int32_t delay_samples = 0;
  std::int32_t compute_allowance_samples = 0;
  char model[128] = {};
  char stems[128] = {};  ///< separated stems, comma separated, in ring order
};

enum class EngineState : std::uint32_t {
  starting = 0,  ///< no engine yet, or its model is loading; the mixture passes
  ready = 1,     ///< stems arrive in time
  late = 2,      ///< stems arrive too late; the mixture passes meanwhile
  failed = 3,    ///< no engine; the text says why and what to do
};

/// Engine to host: `ready` once, or `failed` as the last words.
struct StatusMessage {
  std::uint32_t magic = kProtocolMagic;
  std::uint32_t state = 0;     ///< an EngineState
  std::uint32_t is_final = 0;  ///< with `failed`: 1 if no other engine would do better
  char text[500] = {};
};

}  // namespace stemlane
