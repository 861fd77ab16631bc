// SPDX-License-Identifier: GPL-3.0-or-later
// Stems that are played before they are dragged out: what is heard of them, and what it costs the audio
// thread.
#include "editor/Page.h"
#include "editor/StemChip.h"
#include "home.h"
#include "preview/Preview.h"
#include "realtime_guard.h"
#include "window.h"

using namespace stemlane;

namespace {

/// A WAV file whose left channel is `left` and whose right channel is twice that.
juce::File constantFile(const juce::File& file, float left, int numSamples, double sampleRate = 44100.0) {
  REQUIRE(file.getParentDirectory().createDirectory().wasOk());
  juce::WavAudioFormat wav;
  const std::unique_ptr<juce::AudioFormatWriter> writer(
      wav.createWriterFor(file.createOutputStream().release(), sampleRate, 2, 32, {}, 0));
  REQUIRE(writer != nullptr);
  Buffer samples(2, numSamples);
  for (int n = 0; n < numSamples; ++n) {
    samples.setSample(0, n, left);
    samples.setSample(1, n, 2.0F * left);
  }
  REQUIRE(writer->writeFromAudioSampleBuffer(samples, 0, numSamples));
  return file;
}

/// Plays the next `numSamples` into silence, as they come from the files, which have `length` at the host's
/// rate.
Buffer heard(Preview& preview, int length, int numSamples) {
  const auto played = [&] { return static_cast<int>(std::lround(preview.share() * length)); };
  Buffer out(2, numSamples);
  out.clear();
  int done = 0;
  CHECK(wait_for([&] {
    const int before = played();
    const int count = std::min(256, numSamples - done);
    Buffer block(out.getArrayOfWritePointers(), 2, done, count);
    preview.addTo(block.getArrayOfWritePointers(), 2, count);
    done += played() - before;  // what was not there yet is silent, and comes with the next block
    return done == numSamples;
  }));
  return out;
}

}  // namespace

TEST_CASE("what waits is added to a block, faded in and out, and a mono track hears both sides") {
  const std::vector<float> left(1000, 0.5F), right(1000, 0.25F);
  const float* channels[] = {left.data(), right.data()};
  PreviewRing ring;
  ring.begin();
  ring.fill(channels, 1000);
  Buffer out(2, 100);
  const auto play = [&](int numChannels = 2) {
    out.clear();
    for (int channel = 0; channel < 2; ++channel)
      juce::FloatVectorOperations::fill(out.getWritePointer(channel), 1.0F, 100);
    ring.addTo(out.getArrayOfWritePointers(), numChannels, 100);
  };
  play();
  CHECK(out.getSample(0, 49) == Approx(1.25F));
  CHECK(out.getSample(1, 99) == Approx(1.25F));
  play();
  CHECK(out.getSample(0, 0) == 1.5F);
  play(1);
  CHECK(out.getSample(0, 50) == 1.375F);
  CHECK(out.getSample(1, 50) == 1.0F);
  CHECK(ring.numPlayed() == 300);
  ring.stop();
  play();
  CHECK(out.getSample(0, 49) == Approx(1.25F));
  CHECK(out.getSample(0, 99) == Approx(1.0F).margin(1e-6));
  play();
  CHECK(out.getSample(0, 0) == 1.0F);
  ring.begin();  // what was left is not heard
  CHECK(ring.numPlayed() == 0);
  play();
  CHECK(out.getMagnitude(0, 100) == 1.0F);
}

TEST_CASE("files are heard together, without those that are muted, to the last sample") {
  const Home home;
  const std::vector<juce::File> files = {constantFile(home.folder().getChildFile("a.wav"), 0.125F, 20'000),
                                         constantFile(home.folder().getChildFile("b.wav"), 0.25F, 30'000)};
  Preview preview;
  REQUIRE(preview.play(files, 44100.0));
  CHECK(preview.playing() == files.front());
  const Buffer both = heard(preview, 30'000, 2000);
  CHECK(both.getSample(0, 1999) == 0.375F);
  CHECK(both.getSample(1, 1999) == 0.75F);
  preview.setMuted(0, true);
  const Buffer one = heard(preview, 30'000, 20'000);
  CHECK(one.getSample(0, 19'999) == 0.25F);
  CHECK(preview.share() == Approx(22'000.0 / 30'000.0));
  preview.setMuted(0, false);
  CHECK(heard(preview, 30'000, 8000).getSample(1, 7999) == 0.5F);  // the shorter one is over
  CHECK(wait_for([&] {
    preview.poll();
    return preview.playing() == juce::File();
  }));
}

TEST_CASE("a file at another rate is as long as before") {
  const Home home;
  const juce::File file = constantFile(home.folder().getChildFile("a.wav"), 0.25F, 11'025, 22050.0);
  Preview preview;
  REQUIRE(preview.play({file}, 48000.0));
  const Buffer out = heard(preview, 24'000, 24'000);
  CHECK(out.getSample(0, 12'000) == Approx(0.25F).margin(1e-3));  // JUCE's low-pass is no exact one
  CHECK(preview.share() == 1.0);
  CHECK(wait_for([&] {
    preview.poll();
    return preview.playing() == juce::File();
  }));
}

TEST_CASE("what cannot be read is not played") {
  const Home home;
  const juce::File text = home.folder().getChildFile("text.wav");
  REQUIRE(text.replaceWithText("no sound"));
  Preview preview;
  CHECK_FALSE(preview.play({text, home.folder().getChildFile("absent.wav")}, 44100.0));
  CHECK_FALSE(preview.play({constantFile(home.folder().getChildFile("a.wav"), 0.5F, 100)}, 0.0));
  CHECK(preview.playing() == juce::File());
}

TEST_CASE("stems are heard through the plugin, in real time alone, without a call that waits") {
  const Home home;
  Host host("live", layout(kStereo, kNone), false);
  REQUIRE(wait_for([&] { return is_ready(*host.processor); }));
  REQUIRE(host.processor->preview().play({constantFile(home.folder().getChildFile("a.wav"), 0.25F, 100'000)},
                                         44100.0));
  Buffer buffer(2, 256);
  juce::MidiBuffer midi;
  long count = 0;
  std::string first;
  CHECK(wait_for([&] {
    buffer.clear();
    RealtimeGuard guard;
    host.processor->processBlock(buffer, midi);
    if (guard.finish() > 0 && count++ == 0) first = guard.first();
    return buffer.getSample(0, 0) == 0.25F && buffer.getSample(0, 255) == 0.25F;
  }));
  INFO(first);
  CHECK(count == 0);
  CHECK(buffer.getSample(1, 255) == 0.5F);
  host.processor->setNonRealtime(true);
  CHECK(host.play(Audio(2, 5000)).getMagnitude(0, 5000) == 0.0F);
}

TEST_CASE("the page of files draws, plays and mutes what has become of a recording") {
  Home home;
  Host host("live", layout(kStereo, kNone), false);
  Window window(*host.processor);
  FileQueue& queue = host.processor->files();
  queue.settings().folder = home.folder().getChildFile("stems");
  window.editor.filesDropped({"/music/tone.wav"}, 0, 0);
  REQUIRE(wait_for([&] {
    queue.poll();
    pump();
    return !queue.isRunning();
  }));
  pump();
  auto& vocals = window.get<StemChip>("vocals of tone");
  Preview& preview = host.processor->preview();
  window.click(vocals);
  CHECK(vocals.isMuted());
  window.click(window.get<juce::TextButton>("Play stems of tone.wav"));
  CHECK(preview.playing() == vocals.file());
  // The stems' files are constants of their shares.
  CHECK(heard(preview, 44'100, 2000).getSample(0, 1999) == Approx(1.0F - kShares[0]));
  window.focus(vocals);
  window.key(juce::KeyPress::spaceKey, 0, ' ');
  CHECK_FALSE(vocals.isMuted());
  CHECK(heard(preview, 44'100, 12'000).getSample(0, 11'999) == Approx(1.0F));
  window.click(window.get<juce::TextButton>("Stop stems of tone.wav"));
  CHECK(preview.playing() == juce::File());

  window.click(window.get<juce::TextButton>("Play stems of tone.wav"));
  window.click(window.get<juce::TextButton>("Clear list"));
  pump();
  CHECK(preview.playing() == juce::File());  // it has no button any more
}
