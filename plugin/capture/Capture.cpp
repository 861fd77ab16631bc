// SPDX-License-Identifier: GPL-3.0-or-later
// See Capture.h.
#include "capture/Capture.h"

#include <algorithm>

#include "host/user_folders.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

constexpr int kPollMilliseconds = 20;
constexpr int kMostAtOnce = 1 << 14;
constexpr int kMostWaits = 10'000;  // of a millisecond, for a disk that hangs
constexpr int kDaysKept = 7;
constexpr int kLongestSource = 60;

juce::String nameOf(const Capture::Order& order, double tempo) {
  juce::String name = order.source.trim().substring(0, kLongestSource);
  if (name.isEmpty()) name = "Capture";
  if (order.numBars > 0)
    name << " " << order.numBars << (order.numBars == 1 ? " bar " : " bars ")
         << juce::String(std::round(100.0 * tempo) / 100.0) << " BPM";
  // Nothing in it that a template of names or a shell would take for its own.
  return juce::File::createLegalFileName(name).removeCharacters("{}") +
         juce::Time::getCurrentTime().formatted(" %Y-%m-%d %H.%M.%S");
}

void removeOld(const juce::File& folder) {
  const juce::Time oldest = juce::Time::getCurrentTime() - juce::RelativeTime::days(kDaysKept);
  for (const juce::File& file : folder.findChildFiles(juce::File::findFiles, false, "*.wav"))
    if (file.getLastModificationTime() < oldest) file.deleteFile();
}

juce::String said(CaptureTake::Reason reason, double seconds) {
  const juce::String length = juce::String(seconds, 1) + " s";
  switch (reason) {
    case CaptureTake::Reason::asked:
    case CaptureTake::Reason::bars:
      return {};
    case CaptureTake::Reason::transport:
      return "the host has stopped: captured " + length;
    case CaptureTake::Reason::limit:
      return "ten minutes are the most: captured " + length;
    case CaptureTake::Reason::full:
      return "the disk is too slow: captured " + length + ", up to where it fell behind";
    case CaptureTake::Reason::channels:
      return "the track has other channels now: captured " + length;
    case CaptureTake::Reason::setUp:
      return "the audio was set up anew: captured " + length + ", up to there";
  }
  return {};
}

}  // namespace

Capture::~Capture() {
  if (!isBusy_) return;
  take_.end();
  signalThreadShouldExit();
  notify();
  stopThread(-1);
  cancelPendingUpdate();
  file_.deleteFile();
}

juce::File Capture::folder() {
  const std::string path = text_of(user_folder(contract::kUserCache));
  return path.empty() ? juce::File()
                      : juce::File(juce::String::fromUTF8(path.c_str())).getChildFile("captures");
}

Capture::State Capture::state() const {
  if (!isBusy_) return State::idle;
  switch (take_.phase()) {
    case CaptureTake::Phase::waiting:
      return State::waiting;
    case CaptureTake::Phase::recording:
      return State::recording;
    case CaptureTake::Phase::idle:
    case CaptureTake::Phase::ended:
      return State::writing;
  }
  return State::writing;
}

void Capture::start(const Order& order) {
  if (isBusy_) return;
  problem_ = {};
  if (!(order.sampleRate > 0.0)) {
    problem_ = "nothing captured: the host has not started its audio";
    return;
  }
  const juce::File here = folder();
  if (here == juce::File() || here.createDirectory().failed()) {
    problem_ = "nothing captured: the folder " + here.getFullPathName() + " cannot be made";
    return;
  }
  removeOld(here);
  file_ = here.getNonexistentChildFile(nameOf(order, tempo()), ".wav");
  auto stream = std::make_unique<juce::FileOutputStream>(file_);
  constexpr int kFloatBits = 32;
  if (stream->openedOk())
    writer_.reset(juce::WavAudioFormat().createWriterFor(
        stream.get(), order.sampleRate, static_cast<unsigned>(order.numChannels), kFloatBits, {}, 0));
  if (writer_ == nullptr) {
    stream.reset();
    file_.deleteFile();  // it is new, and may be there already, empty
    problem_ = "nothing captured: " + file_.getFullPathName() + " cannot be written";
    return;
  }
  stream.release();  // it is the writer's
  begin(order);
}

void Capture::begin(const Order& order) {
  for (auto& samples : scratch_) samples.resize(kMostAtOnce);
  sampleRate_ = order.sampleRate;
  hasFailed_ = false;
  waitsForBars_ = order.numBars > 0;
  isBusy_ = take_.begin({order.numBars, order.numChannels, order.sampleRate,
                         static_cast<std::int64_t>(kMostSeconds * order.sampleRate)});
  if (startThread()) return;
  take_.end();
  while (!take_.isOver()) juce::Thread::yield();  // a block at most
  take_.finish();
  isBusy_ = false;
  writer_.reset();
  file_.deleteFile();
  problem_ = "nothing captured: the system starts no thread for it; close other programs and try again";
}

void Capture::process(const float* const* channels, int numChannels, int numSamples, const HostClock& clock,
                      bool offline) noexcept {
  tempo_.store(clock.quartersPerMinute, std::memory_order_relaxed);
  // A render is faster than the disk: it waits, as it does for stems.
  for (int waits = 0; offline && waits < kMostWaits && !take_.hasRoom(numSamples); ++waits)
    juce::Thread::sleep(1);
  take_.write(channels, numChannels, numSamples, clock);
}

// Writes what there is; false if the disk takes no more.
bool Capture::writeReady() {
  std::array<float*, kMaxChannels> channels{};
  for (std::size_t channel = 0; channel < channels.size(); ++channel)
    channels[channel] = scratch_[channel].data();
  for (std::int64_t ready = take_.numReady(); ready > 0;) {
    const int count = static_cast<int>(std::min<std::int64_t>(ready, kMostAtOnce));
    take_.read(channels.data(), count);
    if (!writer_->writeFromFloatArrays(channels.data(), static_cast<int>(writer_->getNumChannels()), count))
      return false;
    ready -= count;
  }
  return true;
}

void Capture::run() {
  for (;;) {
    const bool isOver = take_.isOver();
    if (!hasFailed_ && !writeReady()) {
      hasFailed_ = true;
      take_.end();
    }
    if (isOver) break;
    wait(kPollMilliseconds);
  }
  hasFailed_ = !writer_->flush() || hasFailed_;
  writer_.reset();
  reason_ = take_.finish();
  triggerAsyncUpdate();
}

void Capture::handleAsyncUpdate() {
  stopThread(-1);
  isBusy_ = false;
  const double length = seconds();
  if (hasFailed_)
    problem_ = "nothing captured: " + file_.getFullPathName() + " cannot be written; is the disk full?";
  else if (length <= 0.0 && reason_ == CaptureTake::Reason::asked && waitsForBars_)
    problem_ = {};  // given up
  else if (length <= 0.0 && reason_ == CaptureTake::Reason::setUp)
    problem_ = "nothing captured: the audio was set up anew; start again";
  else if (length <= 0.0)
    problem_ = "nothing captured: no sound has come from the host";
  else
    problem_ = said(reason_, length);
  if (hasFailed_ || length <= 0.0)
    file_.deleteFile();
  else if (onFile)
    onFile(file_);
}

}  // namespace stemlane
