// SPDX-License-Identifier: GPL-3.0-or-later
// An editor whose queue of files writes into a home of the test's own.
#pragma once

#include <functional>

#include "home.h"
#include "window.h"

/// Waits for a condition while the processor's pages hear of what they have started.
inline bool poll_until(stemlane::StemlaneProcessor& processor, const std::function<bool()>& condition) {
  return wait_for([&] {
    processor.shop().poll();
    processor.files().poll();
    pump();
    return condition();
  });
}

/// An editor and its queue of files, which writes into `home`.
struct FilesWindow {
  Home home;
  Host host{"live"};
  Window window{*host.processor};
  stemlane::FileQueue& queue = host.processor->files();

  FilesWindow() { queue.settings().folder = home.folder().getChildFile("stems"); }
  void drop(const juce::StringArray& files) { window.editor.filesDropped(files, 0, 0); }
  bool poll_until(const std::function<bool()>& condition) { return ::poll_until(*host.processor, condition); }
  /// Waits until nothing runs.
  void finish() {
    REQUIRE(poll_until([&] { return !queue.isRunning(); }));
  }
};
