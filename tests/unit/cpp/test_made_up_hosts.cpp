// SPDX-License-Identifier: MIT
// Hosts that do anything in any order: what comes out is known at every sample.
#include <catch2/catch.hpp>

#include <cmath>
#include <memory>
#include <optional>

#include "stream_fixture.h"

using namespace stemlane;

namespace {

class MadeUpHost {
 public:
  explicit MadeUpHost(unsigned seed) : generator_(seed) { prepare(); }

  void act() {
    switch (below(12)) {
      case 0:
        return prepare();  // often the same again, or with another block size only
      case 1:
        stream_.reset();
        return begin();
      case 2:
        gains_ = below(2) == 0 ? kUnityGains : StemGains{0.0F, 2.0F, 1.0F, 1.0F, 1.0F, 0.5F};
        stream_.reset();  // so that no ramp is in the way of the expectation
        return begin();
      case 3:
        for (int count = 1 + below(4); count > 0; --count) play(below(3000), false);
        return;
      default:
        return play(below(4) == 0 ? below(20'000) : below(700), true);
    }
  }

  /// Checks the rest of the latency, so that all that was played is heard.
  void end() { play(stream_.latency_samples() + 1000, true); }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(generator_); }

  void prepare() {
    static constexpr double kRates[] = {22050.0, 44100.0, 48000.0, 88200.0, 96000.0, 192000.0};
    static constexpr int kStrides[] = {64, 512, 3000};
    StreamConfig config;
    config.origin = kLinked;
    config.sample_rate = kRates[below(6)];
    const int stride = kStrides[below(3)];
    config.model = fake_model(stride, 2 * stride, 300);
    config.num_channels = 1 + below(2);
    config.max_block_samples = 1 << below(14);
    if (below(2) == 0 && separator_ != nullptr) {  // only another block size
      const int size = config.max_block_samples;
      config = stream_.config();
      config.max_block_samples = size;
    }
    const SharedAudio* before = shared_audio(stream_);
    const bool larger = config.max_block_samples > stream_.config().max_block_samples;
    const bool other = config.model != stream_.config().model ||
                       config.sample_rate != stream_.config().sample_rate ||
                       config.num_channels != stream_.config().num_channels;
    stream_.prepare(config);
    REQUIRE(shared_audio(stream_) != nullptr);
    if (!other && !larger && separator_ != nullptr) CHECK(shared_audio(stream_) == before);
    if (other || larger || separator_ == nullptr) {
      // The made-up engine counts in the host's samples, never later than the real one.
      const double scale = std::min(1.0, config.sample_rate / 44100.0);
      const auto scaled = [&](int samples) { return static_cast<int>(samples * scale); };
      separator_ = std::make_unique<FakeSeparator>(
          *shared_audio(stream_),
          fake_model(scaled(stride_of(config)), scaled(config.model.delay_samples), 0));
    }
    CHECK(stream_.latency_samples() == latency_sum(config.model, config.sample_rate).total());
    begin();
  }
  static int stride_of(const StreamConfig& config) { return config.model.stride_samples; }

  void begin() {
    heard_.assign(static_cast<std::size_t>(stream_.latency_samples()), 0.0F);
    position_ = 0;
    exact_from_ = 0;
  }

  // One block, cut as the stream wants it; unless `served`, its stems come with a later one.
  void play(int num_samples, bool served) {
    for (int left = num_samples; left > 0;) {
      const int size = std::min(left, stream_.config().max_block_samples);
      play_part(size, served);
      left -= size;
    }
  }

  void play_part(int num_samples, bool served) {
    const int channels = stream_.config().num_channels;
    Audio in = noise(channels, num_samples, static_cast<unsigned>(generator_()));
    heard_.insert(heard_.end(), in.samples[0].begin(), in.samples[0].end());
    Audio elsewhere(channels, num_samples);
    const Audio& out = below(2) == 0 ? in : elsewhere;  // in place or not
    const StreamBlock block{in.pointers.data(), out.pointers.data(), num_samples, gains_, {}};
    stream_.push(block);
    if (served) separator_->run();
    stream_.pull(block);

    const float residual = gains_[kOtherStem];
    float separated = residual;
    for (std::size_t stem = 0; stem < kShares.size(); ++stem)
      separated += (gains_[stem] - residual) * kShares[stem];
    if (!served)
      exact_from_.reset();
    else if (!exact_from_)
      exact_from_ = position_ + kFadeReserveSamples + 1;
    for (int i = 0; i < num_samples; ++i) {
      const float mixture = heard_[static_cast<std::size_t>(position_ + i)];
      const float sample = out.samples[0][static_cast<std::size_t>(i)];
      const float middle = 0.5F * (residual + separated) * mixture;
      // The mixture, the separated mix, or a fade between them; after the fade, the separated mix.
      if (std::abs(sample - middle) > 0.5F * std::abs((residual - separated) * mixture) + 1e-6F)
        FAIL("at " << position_ + i << ": " << sample << " for " << mixture);
      if (gains_ == kUnityGains && sample != mixture) FAIL("at " << position_ + i << ": not bit for bit");
      if (exact_from_ && position_ + i >= *exact_from_ && std::abs(sample - separated * mixture) > 1e-6F)
        FAIL("at " << position_ + i << ": " << sample << " is not " << separated * mixture);
    }
    position_ += num_samples;
  }

  std::mt19937 generator_;
  StemStream stream_;
  std::unique_ptr<FakeSeparator> separator_;
  StemGains gains_{0.0F, 2.0F, 1.0F, 1.0F, 1.0F, 0.5F};
  std::vector<float> heard_;  // first channel, from the last new timeline on, after the latency
  std::int64_t position_ = 0;
  std::optional<std::int64_t> exact_from_;
};

}  // namespace

TEST_CASE("whatever a host does in any order, every sample is the right one") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    INFO("seed " << seed);
    MadeUpHost host(seed);
    for (int i = 0; i < 25; ++i) host.act();
    host.end();
  }
}
