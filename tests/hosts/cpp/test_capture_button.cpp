// SPDX-License-Identifier: GPL-3.0-or-later
// The button that starts captures, and what becomes of them.
#include "editor/CaptureButton.h"
#include "editor/Page.h"
#include "editor/StemChip.h"
#include "fake_transport.h"
#include "home.h"
#include "window.h"

using namespace stemlane;

TEST_CASE("bars are offered where the host tells a tempo") {
  for (const auto& choice : CaptureButton::choices(0.0)) CHECK(choice.isPossible == (choice.numBars == 0));
  for (const auto& choice : CaptureButton::choices(120.0)) CHECK(choice.isPossible);
}

TEST_CASE("the editor's button shows how a capture stands, stops it, and leads to its stems") {
  Home home;
  Host host("live", layout(kStereo, kNone), false);
  FakeTransport transport;
  host.processor->setPlayHead(&transport);
  host.processor->files().settings().folder = home.folder().getChildFile("stems");
  Window window(*host.processor);
  auto& button = window.get<CaptureButton>("Capture");
  const auto text = [&] {
    window.editor.refresh();
    return button.getButtonText();
  };
  const auto finished = [&] {
    return wait_for([&] {
      pump();
      host.processor->files().poll();
      return host.processor->capture().state() == Capture::State::idle &&
             !host.processor->files().isRunning();
    });
  };
  CHECK(text() == "Capture");
  host.processor->startCapture(1);
  CHECK(text() == juce::String::fromUTF8("Next bar\u2026"));
  window.click(button);
  REQUIRE(finished());
  CHECK(text() == "Capture");
  CHECK(host.processor->files().items().empty());

  host.processor->startCapture(0);
  host.play(noise(2, 44'100 * 2 + 100));
  CHECK(text() == "Stop 0:02");
  window.click(button);
  CHECK(find<Page>(window.editor, "Files") != nullptr);
  REQUIRE(finished());
  CHECK(text() == "Capture");
  REQUIRE(host.processor->files().items().size() == 1);
  const auto& item = host.processor->files().items().front();
  CHECK(item.state == FileQueue::State::done);
  pump();
  CHECK(window.get<StemChip>("vocals of " + item.file.getFileNameWithoutExtension()).file().existsAsFile());
  window.editor.closePage();
  window.editor.refresh();

  host.processor->startCapture(1);
  host.play(noise(2, 5000));
  transport.plays = false;
  host.play(noise(2, 5000));
  REQUIRE(finished());
  CHECK(text() == "Look");  // it has ended by itself, and not as it should
  window.click(button);
  CHECK(find<Page>(window.editor, "Files")->getDescription().startsWith("the host has stopped"));
  CHECK(text() == "Capture");
}
