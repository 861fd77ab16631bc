// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(__linux__)
#include <ctime>
#endif

#include <cmath>
#include <cstdio>

#include "editor/MusicPicture.h"
#include "window.h"

using namespace stemlane;

namespace {

constexpr double kRate = 44100.0;

/// Fills a tap with sines of full scale, one a stem.
void fill(StemTap& tap, int stem, double hz, int numSamples, float gain = 1.0F) {
  std::vector<float> samples(static_cast<std::size_t>(numSamples));
  for (int n = 0; n < numSamples; ++n)
    samples[static_cast<std::size_t>(n)] =
        static_cast<float>(std::sin(juce::MathConstants<double>::twoPi * hz * n / kRate));
  REQUIRE(tap.begin(numSamples));
  for (int channel = 0; channel < 2; ++channel) tap.write(stem, channel, samples.data(), gain, numSamples);
  tap.end(numSamples);
}

}  // namespace

TEST_CASE("a sine of full scale is power one in its band, of its stem alone") {
  StemTap tap;
  tap.prepare();
  StemSpectra spectra;
  spectra.setUp(kRate, 60, 0.1);
  // In the middle of bin 93 of a window of 2048.
  const double hz = 93.0 * kRate / 2048.0;
  fill(tap, 2, hz, 8820);
  int numColumns = 0;
  spectra.read(tap, [&](const StemSpectra::Column& column) {
    ++numColumns;
    const auto loudest = std::max_element(column[2].begin(), column[2].end());
    CHECK(*loudest == Approx(1.0F).epsilon(1e-3));
    const auto band = static_cast<int>(loudest - column[2].begin());
    CHECK(std::abs(std::log2(StemSpectra::bandHz(band, 60) / hz)) <= 0.5 * std::log2(400.0) / 60 + 1e-6);
    for (const int silent : {0, 1, 3, 4, 5})
      CHECK(*std::max_element(column[static_cast<std::size_t>(silent)].begin(),
                              column[static_cast<std::size_t>(silent)].end()) == 0.0F);
  });
  CHECK(numColumns == 2);
}

TEST_CASE("columns come at their pace, however the samples come") {
  for (const int piece : {1, 441, 4000}) {
    StemTap tap;
    tap.prepare();
    StemSpectra spectra;
    spectra.setUp(kRate, 30, 1.0 / 30.0);
    int numColumns = 0;
    for (int done = 0; done < 44100; done += piece) {
      fill(tap, 0, 100.0, std::min(piece, 44100 - done));
      spectra.read(tap, [&](const StemSpectra::Column&) { ++numColumns; });
    }
    CHECK(numColumns == 30);
  }
}

TEST_CASE("a tap whose reader is behind leaves out, and loses its place never") {
  StemTap tap;
  CHECK_FALSE(tap.begin(1));  // nobody watches yet
  tap.prepare();
  std::vector<float> samples(20'000, 0.25F);
  REQUIRE(tap.begin(20'000));
  tap.write(1, 0, samples.data(), 2.0F, 20'000);
  tap.end(20'000);
  CHECK_FALSE(tap.begin(20'000));
  CHECK(tap.num_ready() == 20'000);
  std::vector<float> scratch;
  int numRuns = 0;
  tap.read(20'000, scratch, [&](int stem, int channel, const float* run) {
    ++numRuns;
    const float wanted = stem == 1 && channel == 0 ? 0.5F : 0.0F;
    CHECK(std::all_of(run, run + 20'000, [&](float sample) { return sample == wanted; }));
  });
  CHECK(numRuns == StemTap::kNumPlanes);
  CHECK(tap.num_ready() == 0);
  CHECK(tap.begin(20'000));  // around the ring's end
  tap.write(1, 1, samples.data(), 1.0F, 20'000);
  tap.end(20'000);
  tap.read(20'000, scratch, [&](int stem, int channel, const float* run) {
    CHECK(run[19'999] == (stem == 1 && channel == 1 ? 0.25F : 0.0F));
  });
}

TEST_CASE("what is no number is no sound in the picture") {
  StemTap tap;
  tap.prepare();
  std::vector<float> samples(4410, std::numeric_limits<float>::quiet_NaN());
  REQUIRE(tap.begin(4410));
  tap.write(0, 0, samples.data(), 1.0F, 4410);
  tap.end(4410);
  StemSpectra spectra;
  spectra.setUp(kRate, 20, 0.1);
  int numColumns = 0;
  spectra.read(tap, [&](const StemSpectra::Column& column) {
    ++numColumns;
    for (const float power : column[0]) CHECK(power == 0.0F);
  });
  CHECK(numColumns == 1);
}

TEST_CASE(
    "the picture scrolls: the newest on the right, in its stem's colour, grey where nothing is separated") {
  StemTap tap;
  tap.prepare();
  MusicPicture picture;
  picture.setSize(334, 100);
  fill(tap, 1, 1000.0, 14700);
  picture.show(tap, kRate, true);
  const juce::Image& image = picture.image();
  REQUIRE(image.isValid());
  const int right = image.getWidth() - 1;
  const auto brightest = [&](int x) {
    juce::Colour found = colours::groove;
    for (int y = 0; y < image.getHeight(); ++y)
      if (image.getPixelAt(x, y).getBrightness() > found.getBrightness()) found = image.getPixelAt(x, y);
    return found;
  };
  CHECK(brightest(right) == colours::stem(1));
  CHECK(brightest(right - 200) == colours::groove);
  fill(tap, 1, 1000.0, 14700);
  picture.show(tap, kRate, false);
  CHECK(brightest(right) == colours::faint);
  CHECK(brightest(right - 12) == colours::stem(1));  // a third of a second ago
}

TEST_CASE("the tap hears the stems after their faders") {
  Host host("live");
  host.processor->setMeters(true);
  *host.processor->parameters().strips[0].gain = -6.0F;
  *host.processor->parameters().strips[1].mute = true;
  const Audio in = noise(2, 20'000);
  host.play(in);
  std::vector<float> scratch;
  const int latency = host.latency();
  const float factors[] = {kShares[0] * std::pow(10.0F, -6.0F / 20.0F), 0.0F, kShares[2], 0.0F, 0.0F, kRest};
  host.processor->tap().read(20'000, scratch, [&](int stem, int channel, const float* run) {
    float worst = 0.0F;
    for (int n = latency + 512; n < 20'000; ++n)
      worst = std::max(
          worst,
          std::abs(run[n] -
                   factors[stem] *
                       in.samples[static_cast<std::size_t>(channel)][static_cast<std::size_t>(n - latency)]));
    INFO(stem);
    CHECK(worst < 4e-7F);  // a product and three differences of float32 near full scale
  });
}

#if defined(__linux__)
// No test: a figure for docs/decisions/27-the-editor.md. plugin_tests "[figures]" prints it.
TEST_CASE("what thirty frames a second cost", "[.][figures]") {
  const auto seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  };
  Host host("live");
  Window window(*host.processor);
  const Audio frame = noise(2, 1470);
  *host.processor->parameters().strips[1].gain = -1.0F;  // a render that needs no stems has none
  double spent = 0.0;
  constexpr int kFrames = 600;
  for (int i = 0; i < kFrames; ++i) {
    host.play(frame, 490);
    const double before = seconds();
    window.editor.refresh();
    window.editor.getPeer()->performAnyPendingRepaintsNow();
    spent += seconds() - before;
  }
  std::printf("%.2f ms a frame, %.1f %% of a core at 30 frames a second, %d x %d\n", 1000.0 * spent / kFrames,
              3000.0 * spent / kFrames, window.editor.getWidth(), window.editor.getHeight());
}
#endif
