// SPDX-License-Identifier: MIT
// Linux: an anonymous memfd, gone with the last process that has it open, so a crash
// leaves nothing behind.
#include "link/shared_audio.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

namespace stemlane {
namespace {

std::size_t total_bytes(int num_channels, int num_stems, std::int64_t capacity) noexcept {
  const auto planes = static_cast<std::size_t>(num_channels) * static_cast<std::size_t>(1 + num_stems);
  return kAudioOffset + planes * static_cast<std::size_t>(capacity) * sizeof(float);
}

bool plausible(std::int64_t num_channels, std::int64_t num_stems, std::int64_t capacity) noexcept {
  return num_channels >= 1 && num_channels <= kMaxChannels && num_stems >= 1 &&
         num_stems <= kMaxSeparatedStems && capacity >= 1 && capacity <= (std::int64_t{1} << 28) &&
         std::has_single_bit(static_cast<std::uint64_t>(capacity));
}

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

}  // namespace

SharedAudio::SharedAudio(int descriptor, void* memory, std::size_t num_bytes, int num_channels, int num_stems,
                         std::int64_t capacity) noexcept
    : descriptor_(descriptor),
      memory_(memory),
      num_bytes_(num_bytes),
      num_channels_(num_channels),
      num_stems_(num_stems),
      capacity_(capacity) {
  auto* audio = reinterpret_cast<float*>(static_cast<char*>(memory) + kAudioOffset);
  mixture_ = SampleRing(audio, num_channels, capacity);
  stems_ = SampleRing(audio + num_channels * capacity, num_stems * num_channels, capacity);
}

SharedAudio::~SharedAudio() {
  munmap(memory_, num_bytes_);
  close(descriptor_);
}

std::unique_ptr<SharedAudio> SharedAudio::create(int num_channels, int num_stems,
                                                 std::int64_t capacity_samples, std::string& error) {
  if (!plausible(num_channels, num_stems, capacity_samples)) {
    error = "shared memory of an impossible size was asked for";
    return nullptr;
  }
  const std::size_t num_bytes = total_bytes(num_channels, num_stems, capacity_samples);
  const int descriptor = memfd_create("stemlane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) {
    error = system_error("no shared memory");
    return nullptr;
  }
  // posix_fallocate reserves the pages now: a full system fails here, not with SIGBUS.
  void* memory = MAP_FAILED;
  if (const int failure = posix_fallocate(descriptor, 0, static_cast<off_t>(num_bytes)); failure != 0)
    errno = failure;
  // Sealed: an engine that cut the file short would end the host with SIGBUS.
  else if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    memory = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (memory == MAP_FAILED) {
    error = system_error("no shared memory");
    close(descriptor);
    return nullptr;
  }
  auto* header = new (memory) SharedHeader{};
  sem_init(&header->mixture_written, 1, 0);
  sem_init(&header->stems_written, 1, 0);
  std::unique_ptr<SharedAudio> audio(
      new SharedAudio(descriptor, memory, num_bytes, num_channels, num_stems, capacity_samples));
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

std::unique_ptr<SharedAudio> SharedAudio::open(int descriptor, std::string& error) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || status.st_size < static_cast<off_t>(kAudioOffset)) {
    error = "the shared memory is missing or too small";
    close(descriptor);
    return nullptr;
  }
  const auto num_bytes = static_cast<std::size_t>(status.st_size);
  void* memory = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) {
    error = system_error("the shared memory cannot be mapped");
    close(descriptor);
    return nullptr;
  }
  const auto& header = *static_cast<const SharedHeader*>(memory);
  const std::int64_t num_channels = header.num_channels;
  const std::int64_t num_stems = header.num_stems;
  const std::int64_t capacity = header.capacity_samples;
  const bool known = header.magic == kProtocolMagic && header.version == kProtocolVersion;
  if (!known || !plausible(num_channels, num_stems, capacity) ||
      total_bytes(static_cast<int>(num_channels), static_cast<int>(num_stems), capacity) != num_bytes) {
    error = "the shared memory is of another version; install plugin and package together again";
    munmap(memory, num_bytes);
    close(descriptor);
    return nullptr;
  }
  return std::unique_ptr<SharedAudio>(new SharedAudio(
      descriptor, memory, num_bytes, static_cast<int>(num_channels), static_cast<int>(num_stems), capacity));
}

}  // namespace stemlane
