// SPDX-License-Identifier: MIT
// Layout and checks; where the memory comes from is the platform's business.
#include "link/shared_audio.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace stemlane {
namespace {

// Whole pages of the system that has the largest (macOS on arm64): some round the size up themselves, and
// the other side is to see the same one.
constexpr std::size_t kPageBytes = 16384;

// Of the focus.
std::int64_t grid_capacity(std::int64_t capacity) noexcept {
  return std::max<std::int64_t>(1, capacity / kFocusGridSamples);
}

std::size_t total_bytes(int num_channels, int num_stems, std::int64_t capacity) noexcept {
  const std::int64_t num_values =
      num_channels * (1 + num_stems) * capacity + (num_stems + 1) * grid_capacity(capacity);
  const std::size_t used = kAudioOffset + static_cast<std::size_t>(num_values) * sizeof(float);
  return (used + kPageBytes - 1) / kPageBytes * kPageBytes;
}

bool plausible(std::int64_t num_channels, std::int64_t num_stems, std::int64_t capacity) noexcept {
  return num_channels >= 1 && num_channels <= kMaxChannels && num_stems >= 1 &&
         num_stems <= kMaxSeparatedStems && capacity >= 1 && capacity <= (std::int64_t{1} << 28) &&
         std::has_single_bit(static_cast<std::uint64_t>(capacity));
}

}  // namespace

SharedAudio::SharedAudio(SharedMemory memory, Event mixture_written, Event stems_written, int num_channels,
                         int num_stems, std::int64_t capacity) noexcept
    : memory_(std::move(memory)),
      mixture_written_(std::move(mixture_written)),
      stems_written_(std::move(stems_written)),
      num_channels_(num_channels),
      num_stems_(num_stems),
      capacity_(capacity) {
  auto* audio = reinterpret_cast<float*>(static_cast<char*>(memory_.data()) + kAudioOffset);
  mixture_ = SampleRing(audio, num_channels, capacity);
  stems_ = SampleRing(audio + num_channels * capacity, num_stems * num_channels, capacity);
  focus_ =
      SampleRing(audio + num_channels * (1 + num_stems) * capacity, num_stems + 1, grid_capacity(capacity));
}

std::unique_ptr<SharedAudio> SharedAudio::create(int num_channels, int num_stems,
                                                 std::int64_t capacity_samples, std::string& error) {
  if (!plausible(num_channels, num_stems, capacity_samples)) {
    error = "shared memory of an impossible size was asked for";
    return nullptr;
  }
  auto memory = SharedMemory::create(total_bytes(num_channels, num_stems, capacity_samples), error);
  auto mixture_written = Event::create(error);
  auto stems_written = Event::create(error);
  if (!memory || !mixture_written || !stems_written) return nullptr;
  new (memory->data()) SharedHeader{};
  std::unique_ptr<SharedAudio> audio(new SharedAudio(std::move(*memory), std::move(*mixture_written),
                                                     std::move(*stems_written), num_channels, num_stems,
                                                     capacity_samples));
  audio->restore_description();
  return audio;
}

void SharedAudio::restore_description() const noexcept {
  SharedHeader& fixed = header();
  fixed.magic = kProtocolMagic;
  fixed.version = kProtocolVersion;
  fixed.num_channels = static_cast<std::uint32_t>(num_channels_);
  fixed.num_stems = static_cast<std::uint32_t>(num_stems_);
  fixed.capacity_samples = capacity_;
}

std::unique_ptr<SharedAudio> SharedAudio::open(OwnedHandle handle, Event mixture_written, Event stems_written,
                                               std::string& error) {
  auto memory = SharedMemory::open(std::move(handle), error);
  if (!memory) return nullptr;
  if (memory->num_bytes() < kAudioOffset) {
    error = "the shared memory is missing or too small";
    return nullptr;
  }
  const auto& header = *static_cast<const SharedHeader*>(memory->data());
  const std::int64_t num_channels = header.num_channels;
  const std::int64_t num_stems = header.num_stems;
  const std::int64_t capacity = header.capacity_samples;
  const bool known = header.magic == kProtocolMagic && header.version == kProtocolVersion;
  if (!known || !plausible(num_channels, num_stems, capacity) ||
      total_bytes(static_cast<int>(num_channels), static_cast<int>(num_stems), capacity) !=
          memory->num_bytes()) {
    error = "the shared memory is of another version; install plugin and package together again";
    return nullptr;
  }
  return std::unique_ptr<SharedAudio>(
      new SharedAudio(std::move(*memory), std::move(mixture_written), std::move(stems_written),
                      static_cast<int>(num_channels), static_cast<int>(num_stems), capacity));
}

}  // namespace stemlane
