// SPDX-License-Identifier: GPL-3.0-or-later
// Captures: which samples they hold, how they end, and what they cost the audio thread.
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "capture_session.h"
#include "realtime_guard.h"

using namespace stemlane;

namespace {

constexpr CaptureTake::Plan kStereoPlan{0, 2, 44100.0, 1'000'000};

}  // namespace

TEST_CASE("a capture holds what passes from its start to its end, sample by sample, at the host's rate") {
  for (const auto& [rate, main] : {std::pair{48000.0, kStereo}, std::pair{96000.0, kMono}}) {
    Session session(rate, main);
    const Audio in = noise(main.size(), 30'000);
    session.play(in);  // not yet
    session.host.processor->startCapture(0);
    CHECK(session.capture().state() == Capture::State::recording);
    session.play(in, 333);
    CHECK(session.capture().seconds() == 30'000 / rate);
    session.capture().stop();
    session.play(in);  // not any more
    REQUIRE(session.finish());
    CHECK(session.capture().problem() == "");
    CHECK(holds(session.file, in, 0, 30'000, rate));
  }
}

TEST_CASE("the next bars begin at the sample nearest to the bar line and are as long as the tempo says") {
  for (const auto& [tempo, beats, unit, bars] :
       {std::tuple{120.0, 4, 4, 2}, std::tuple{93.7, 7, 8, 3}, std::tuple{250.0, 3, 4, 1}}) {
    Session session(44100.0);
    session.transport.tempo = tempo;
    session.transport.beats = beats;
    session.transport.beatUnit = unit;
    session.transport.position = 0.371;
    session.host.processor->startCapture(bars);
    session.transport.plays = false;
    const double perQuarter = 60.0 * 44100.0 / tempo;
    const double perBar = perQuarter * session.transport.quartersPerBar();
    const Audio in = noise(2, static_cast<int>((bars + 1.5) * perBar));
    session.play(in);  // waits for the host to play
    CHECK(session.capture().state() == Capture::State::waiting);
    session.transport.plays = true;
    session.play(in, 511);
    REQUIRE(session.finish());
    CHECK(session.capture().problem() == "");
    const int first = static_cast<int>(std::lround(perBar - 0.371 * perQuarter));
    CHECK(holds(session.file, in, first, static_cast<int>(std::lround(bars * perBar)), 44100.0));
  }
}

TEST_CASE(
    "bars that begin with a block's first sample are taken whole, and a loop or another tempo count as "
    "heard") {
  Session session(48000.0);
  session.transport.position = 8.0;
  session.host.processor->startCapture(2);
  const Audio in = noise(2, 200'000);
  int done = 0;
  session.host.play(in, 480, [&] {
    done += 480;
    session.transport.advance(480, 48000.0);
    if (done == 48'000) session.transport.position = 8.0;  // a bar of two beats, round and round
    if (done == 96'000) session.transport.tempo = 240.0;   // four beats of eight are left: half as long
  });
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "");
  CHECK(holds(session.file, in, 0, 96'000 + 48'000, 48000.0));
}

TEST_CASE("a host that stops ends the bars, and what there is counts") {
  Session session;
  session.host.processor->startCapture(4);
  const Audio in = noise(2, 44'100);
  session.play(in, 441);
  session.transport.plays = false;
  session.play(in);
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "the host has stopped: captured 1.0 s");
  CHECK(holds(session.file, in, 0, 44'100, 44100.0));
}

TEST_CASE("a capture that has not begun can be given up, and one without sound leaves nothing") {
  Session session;
  session.host.processor->startCapture(4);
  session.capture().stop();
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "");
  session.host.processor->startCapture(0);
  session.capture().stop();
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "nothing captured: no sound has come from the host");
  CHECK(session.file == juce::File());
  CHECK(Capture::folder().getNumberOfChildFiles(juce::File::findFiles) == 0);
}

TEST_CASE("a change of the model, of the rate or of the channels ends a capture before the gap") {
  Session session;
  const Audio in = noise(2, 5000);
  session.host.processor->startCapture(0);
  session.play(in);
  session.host.processor->setModel("mix");
  session.play(in);
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "the audio was set up anew: captured 0.1 s, up to there");
  CHECK(holds(session.file, in, 0, 5000, 44100.0));

  session.host.processor->startCapture(0);
  session.play(in);
  session.host.processor->prepareToPlay(48000.0, 512);
  session.play(in);
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "the audio was set up anew: captured 0.1 s, up to there");
  CHECK(holds(session.file, in, 0, 5000, 44100.0));

  CaptureTake take;
  REQUIRE(take.begin(kStereoPlan));
  take.write(nullptr, 1, 100, {});
  CHECK(take.isOver());
  CHECK(take.finish() == CaptureTake::Reason::channels);
}

TEST_CASE("hosts that set up the audio again at the same rate end what is recorded, not what waits") {
  const Audio in = noise(2, 88'200);
  for (const int bars : {0, 1}) {
    Session session;
    session.transport.position = 2.0;  // in the middle of a bar
    session.host.processor->startCapture(bars);
    session.host.processor->prepareToPlay(44100.0, 256);  // a host that starts to play
    session.play(in);
    session.host.processor->prepareToPlay(44100.0, 512);
    session.play(in);
    REQUIRE(session.finish());
    const int first = bars * 44'100;
    const juce::String length = bars > 0 ? "1.0 s" : "2.0 s";
    CHECK(session.capture().problem() == "the audio was set up anew: captured " + length + ", up to there");
    CHECK(holds(session.file, in, first, in.num_samples() - first, 44100.0));
  }
  Session session;
  session.host.processor->startCapture(0);
  session.host.processor->prepareToPlay(48000.0, 512);
  session.play(in);
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "nothing captured: the audio was set up anew; start again");
  CHECK(Capture::folder().getNumberOfChildFiles(juce::File::findFiles) == 0);
}

TEST_CASE("a capture that has no thread or no room on the disk says so, and leaves no file") {
  Session session;
  const auto numFiles = [] { return Capture::folder().getNumberOfChildFiles(juce::File::findFiles); };
  realtime_guard_refuse_threads(1);
  session.host.processor->startCapture(0);
  realtime_guard_refuse_threads(0);
  CHECK(session.capture().state() == Capture::State::idle);
  CHECK(session.capture().problem().startsWith("nothing captured: the system starts no thread for it"));
  CHECK(numFiles() == 0);

  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const auto usual = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);
  session.host.processor->startCapture(0);
  session.play(noise(2, 44'100));
  const bool isOver = session.finish();
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, usual);
  REQUIRE(isOver);
  CHECK(session.capture().problem().endsWith("cannot be written; is the disk full?"));
  CHECK(numFiles() == 0);

  // And the next one works.
  const Audio in = noise(2, 5000);
  session.host.processor->startCapture(0);
  session.play(in);
  session.capture().stop();
  REQUIRE(session.finish());
  CHECK(holds(session.file, in, 0, 5000, 44100.0));
}

TEST_CASE("a ring that nobody empties ends the capture without a gap, and ten minutes are the most") {
  const Audio in = noise(2, 100'000);
  const float* channels[] = {in.samples[0].data(), in.samples[1].data()};
  CaptureTake take;
  REQUIRE(take.begin(kStereoPlan));
  CHECK_FALSE(take.begin(kStereoPlan));
  take.write(channels, 2, 100'000, {});
  take.write(channels, 2, 100'000, {});
  CHECK(take.hasRoom(CaptureTake::kCapacity - 200'000));
  CHECK_FALSE(take.hasRoom(100'000));
  take.write(channels, 2, 100'000, {});
  REQUIRE(take.isOver());
  CHECK(take.numReady() == 200'000);
  CHECK(take.finish() == CaptureTake::Reason::full);

  REQUIRE(take.begin({0, 2, 44100.0, 150'000}));
  take.write(channels, 2, 100'000, {});
  take.write(channels, 2, 100'000, {});
  REQUIRE(take.isOver());
  CHECK(take.numReady() == 150'000);
  std::vector<float> left(150'000), right(150'000);
  float* const read[] = {left.data(), right.data()};
  take.read(read, 150'000);
  CHECK(right[149'999] == in.samples[1][49'999]);
  CHECK(take.finish() == CaptureTake::Reason::limit);
}

TEST_CASE("a block that is captured makes no call that allocates, locks, waits or enters the system") {
  Session session;
  session.host.processor->setNonRealtime(false);
  REQUIRE(wait_for([&] { return is_ready(*session.host.processor); }));
  Buffer buffer(2, 700);
  buffer.clear();
  juce::MidiBuffer midi;
  session.host.processor->processBlock(buffer, midi);
  session.host.processor->startCapture(8);
  long count = 0;
  std::string first;
  for (int i = 0; i < 200; ++i) {
    RealtimeGuard guard;
    session.host.processor->processBlock(buffer, midi);
    if (guard.finish() > 0 && count++ == 0) first = guard.first();
    session.transport.advance(700, 44100.0);
  }
  INFO(first);
  CHECK(count == 0);
  CHECK(session.capture().seconds() > 3.0);
}

TEST_CASE("captures begin and end while a host plays") {
  Session session;
  session.host.processor->setNonRealtime(false);
  std::atomic<bool> done{false};
  std::thread audio([&] {
    Buffer buffer(2, 64);
    juce::MidiBuffer midi;
    while (!done) {
      buffer.clear();
      session.host.processor->processBlock(buffer, midi);
      session.transport.advance(64, 44100.0);
      std::this_thread::yield();
    }
  });
  for (int round = 0; round < 20; ++round) {
    session.host.processor->startCapture(round % 2);
    CHECK(wait_for([&] { return session.capture().seconds() > 0.01; }));
    session.capture().stop();
    CHECK(session.finish());
    CHECK(session.file.existsAsFile());
    CHECK(session.file.deleteFile());
  }
  done = true;
  audio.join();
}

TEST_CASE("a render is captured whole, however fast it is") {
  Session session;
  const Audio in = noise(2, 3 * static_cast<int>(CaptureTake::kCapacity));
  session.host.processor->startCapture(0);
  session.play(in, 8192);
  session.capture().stop();
  REQUIRE(session.finish());
  CHECK(session.capture().problem() == "");
  CHECK(holds(session.file, in, 0, in.num_samples(), 44100.0));
}

TEST_CASE("a capture is called after its track, and old ones go") {
  Session session;
  juce::AudioProcessor::TrackProperties track;
  track.name = "Lead {vox}/2";
  session.host.processor->updateTrackProperties(track);
  const juce::File old = Capture::folder().getChildFile("old.wav");
  const juce::File recent = Capture::folder().getChildFile("recent.wav");
  REQUIRE(old.create());
  REQUIRE(recent.create());
  REQUIRE(old.setLastModificationTime(juce::Time::getCurrentTime() - juce::RelativeTime::days(8)));
  session.transport.tempo = 93.5;
  session.play(noise(2, 100));  // the host's tempo is known from its blocks
  session.host.processor->startCapture(1);
  session.transport.position = 0.0;
  session.play(noise(2, 200'000));
  REQUIRE(session.finish());
  CHECK(session.file.getFileName().startsWith("Lead vox2 1 bar 93.5 BPM 20"));
  CHECK(session.file.getParentDirectory() == Capture::folder());
  CHECK_FALSE(old.exists());
  CHECK(recent.exists());
}

TEST_CASE("an instance that goes takes an unfinished capture along") {
  const Home home;
  {
    Host host("live", layout(kStereo, kNone), false);
    host.processor->startCapture(0);
    host.play(noise(2, 5000));
    CHECK(Capture::folder().getNumberOfChildFiles(juce::File::findFiles) == 1);
  }
  CHECK(Capture::folder().getNumberOfChildFiles(juce::File::findFiles) == 0);
}

TEST_CASE("without audio or a place to write, a capture says so") {
  const Home home;
  StemlaneProcessor processor;
  processor.startCapture(0);
  CHECK(processor.capture().problem() == "nothing captured: the host has not started its audio");

  REQUIRE(Capture::folder().getParentDirectory().createDirectory().wasOk());
  REQUIRE(Capture::folder().replaceWithText("a file"));
  Host host("live");
  host.processor->startCapture(0);
  CHECK(host.processor->capture().problem().startsWith("nothing captured: the folder "));
}
