// SPDX-License-Identifier: GPL-3.0-or-later
// Stems that are dragged out of the page of files, seen from where they arrive.
#include "editor/FileRow.h"
#include "editor/StemChip.h"
#include "editor/drag_out.h"
#include "home.h"
#include "window.h"

#if JUCE_LINUX || JUCE_BSD
#include "x11_client.h"
#endif

using namespace stemlane;

#if JUCE_LINUX || JUCE_BSD
namespace {

/// A page of files with one song done and one that has failed, and whoever its stems are dragged to.
struct Drags {
  Home home;
  Host host{"live"};
  Window window{*host.processor};
  FileQueue& queue = host.processor->files();
  X11Client client;

  Drags() {
    queue.settings().folder = home.folder();
    window.editor.filesDropped({"/music/broken.wav", "/music/my #1.wav"}, 0, 0);
    REQUIRE(wait_for([&] {
      queue.poll();
      pump();
      return !queue.isRunning();
    }));
    pump();
  }
  /// What arrives of a drag that begins there, a name a line; empty if nothing is dragged.
  juce::StringArray from(juce::Point<float> at, float distance = 12.0F) {
    window.press(at);
    window.drag(distance, 0.0F);
    juce::StringArray files;
    if (client.is_dragged()) {
      files.addLines(juce::String::fromUTF8(client.dragged(pump).c_str()));
      client.end(pump);
    }
    window.release();
    pump();
    return files;
  }
  juce::Point<float> nameOf(const char* song) {
    auto& row = window.get<FileRow>(song);
    return window.editor.getLocalPoint(&row, juce::Point<int>(row.getWidth() / 3, 16)).toFloat();
  }
  juce::String addressOf(const char* stem) {
    return draggedAs(home.folder().getChildFile("my #1").getChildFile(juce::String(stem) + ".wav"));
  }
};

}  // namespace

TEST_CASE("a stem is dragged under an address that means its file, whatever its name") {
  const juce::String folder = juce::String::fromUTF8("/music/Sch\u00f6ne #2 100% + %41 [a]?");
  CHECK(draggedAs(juce::File(folder).getChildFile("vocals.wav")) ==
        "file:///music/Sch%C3%B6ne%20%232%20100%25%20%2B%20%2541%20%5Ba%5D%3F/vocals.wav");
}

TEST_CASE("a song is dragged by its name with all its stems, a stem alone") {
  Drags page;
  CHECK(page.addressOf("vocals").endsWith("my%20%231/vocals.wav"));
  const juce::StringArray all = {page.addressOf("vocals"), page.addressOf("drums"), page.addressOf("bass"),
                                 page.addressOf("other")};
  CHECK(page.from(page.nameOf("my #1.wav")) == all);
  CHECK(page.from(page.window.middle(page.window.get<StemChip>("drums of my #1"))) ==
        juce::StringArray{page.addressOf("drums")});
  CHECK(page.from(page.nameOf("my #1.wav")) == all);  // once more
  // What has been deleted meanwhile is left out.
  REQUIRE(page.home.folder().getChildFile("my #1/drums.wav").deleteFile());
  juce::StringArray rest = all;
  rest.remove(1);
  CHECK(page.from(page.nameOf("my #1.wav")) == rest);
}

TEST_CASE("a click on a song drags nothing, nor does one that has no stems") {
  Drags page;
  CHECK(page.from(page.nameOf("my #1.wav"), 2.0F).isEmpty());
  CHECK(page.from(page.nameOf("broken.wav")).isEmpty());
  CHECK(page.window.get<FileRow>("my #1.wav").getTooltip().startsWith("Drag it into the DAW or a folder"));
  CHECK(page.window.get<FileRow>("broken.wav").getTooltip() == "/music/broken.wav");
}
#endif
