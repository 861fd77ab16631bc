// SPDX-License-Identifier: GPL-3.0-or-later
// See Preview.h.
#include "preview/Preview.h"

#include <algorithm>
#include <cmath>

namespace stemlane {
namespace {

constexpr int kPieceSamples = 1 << 10;
// What is heard follows a switch after as long as this.
constexpr double kAheadSeconds = 0.1;
constexpr int kPollMilliseconds = 5;

}  // namespace

/// The files' sum, at the rate of the first one.
class Preview::Mix final : public juce::PositionableAudioSource {
 public:
  Mix(std::vector<std::unique_ptr<juce::AudioFormatReader>> files,
      const std::array<std::atomic<bool>, kMostFiles>& muted)
      : files_(std::move(files)), muted_(muted), piece_(kMaxChannels, kPieceSamples) {
    for (const auto& file : files_)
      if (file != nullptr) length_ = std::max(length_, file->lengthInSamples);
  }
  void getNextAudioBlock(const juce::AudioSourceChannelInfo& block) override {
    block.clearActiveBufferRegion();
    for (int done = 0; done < block.numSamples; done += kPieceSamples)
      addPiece(block, done, std::min(kPieceSamples, block.numSamples - done));
    position_ += block.numSamples;
  }
  void prepareToPlay(int, double) override {}
  void releaseResources() override {}
  void setNextReadPosition(juce::int64 position) override { position_ = position; }
  juce::int64 getNextReadPosition() const override { return position_; }
  juce::int64 getTotalLength() const override { return length_; }
  bool isLooping() const override { return false; }

 private:
  void addPiece(const juce::AudioSourceChannelInfo& block, int done, int count) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i] == nullptr || muted_[i].load(std::memory_order_relaxed)) continue;
      // A mono file sounds on both sides; past its end it is silent.
      files_[i]->read(&piece_, 0, count, position_ + done, true, true);
      for (int channel = 0; channel < kMaxChannels; ++channel)
        block.buffer->addFrom(channel, block.startSample + done, piece_, channel, 0, count);
    }
  }

  const std::vector<std::unique_ptr<juce::AudioFormatReader>> files_;
  const std::array<std::atomic<bool>, kMostFiles>& muted_;
  juce::AudioBuffer<float> piece_;
  juce::int64 position_ = 0;
  juce::int64 length_ = 0;
};

std::unique_ptr<juce::AudioFormatReader> Preview::reader(const juce::File& file) {
  auto stream = file.createInputStream();
  if (stream == nullptr) return nullptr;
  juce::WavAudioFormat wav;
  return std::unique_ptr<juce::AudioFormatReader>(wav.createReaderFor(stream.release(), true));
}

bool Preview::play(const std::vector<juce::File>& files, double hostRate) {
  stop();
  std::vector<std::unique_ptr<juce::AudioFormatReader>> readers;
  double fileRate = 0.0;
  for (const juce::File& file : files) {
    if (readers.size() == kMostFiles) break;
    readers.push_back(reader(file));
    if (readers.back() != nullptr) fileRate = readers.back()->sampleRate;
  }
  if (!(fileRate > 0.0) || !(hostRate > 0.0)) return false;
  mix_ = std::make_unique<Mix>(std::move(readers), muted_);
  first_ = files.front();
  hostRate_ = hostRate;
  seconds_ = static_cast<double>(mix_->getTotalLength()) / fileRate;
  fileRate_ = fileRate;
  isRead_ = false;
  ring_.begin();
  startThread();
  return true;
}

void Preview::stop() {
  ring_.stop();
  signalThreadShouldExit();
  notify();
  stopThread(-1);
  mix_.reset();
  first_ = juce::File();
}

void Preview::poll() {
  if (mix_ != nullptr && isRead_.load(std::memory_order_acquire) && ring_.numWaiting() <= 0) stop();
}

double Preview::share() const {
  if (mix_ == nullptr || !(seconds_ > 0.0)) return 0.0;
  return std::min(1.0, static_cast<double>(ring_.numPlayed()) / (hostRate_ * seconds_));
}

void Preview::run() {
  juce::ResamplingAudioSource resampled(mix_.get(), false, kMaxChannels);
  resampled.setResamplingRatio(fileRate_ / hostRate_);
  const bool isResampled = fileRate_ != hostRate_;
  resampled.prepareToPlay(kPieceSamples, hostRate_);
  juce::AudioBuffer<float> piece(kMaxChannels, kPieceSamples);
  const std::int64_t ahead = std::min<std::int64_t>(
      PreviewRing::kCapacity, static_cast<std::int64_t>(kAheadSeconds * hostRate_) + kPieceSamples);
  std::int64_t left = std::llround(seconds_ * hostRate_);
  while (left > 0 && !threadShouldExit()) {
    if (PreviewRing::kCapacity - ring_.numFree() + kPieceSamples > ahead) {
      wait(kPollMilliseconds);
      continue;
    }
    const int count = static_cast<int>(std::min<std::int64_t>(left, kPieceSamples));
    const juce::AudioSourceChannelInfo block(&piece, 0, count);
    if (isResampled)
      resampled.getNextAudioBlock(block);
    else
      mix_->getNextAudioBlock(block);
    ring_.fill(piece.getArrayOfReadPointers(), count);
    left -= count;
  }
  isRead_.store(true, std::memory_order_release);
}

}  // namespace stemlane
