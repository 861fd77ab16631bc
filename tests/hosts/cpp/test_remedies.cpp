// SPDX-License-Identifier: GPL-3.0-or-later
// What the editor can do itself about an engine without a Python, and what it remembers of each model.
#include "editor/ModelBox.h"
#include "editor/ModelItem.h"
#include "home.h"
#include "processor/EngineLink.h"
#include "processor/RememberedLoads.h"
#include "window.h"

using namespace stemlane;

namespace {

/// PATH for the time of a test.
class Path {
 public:
  explicit Path(const juce::String& value) : before_(juce::SystemStats::getEnvironmentVariable("PATH", {})) {
    setenv("PATH", value.toRawUTF8(), 1);
  }
  ~Path() { setenv("PATH", before_.toRawUTF8(), 1); }

 private:
  const juce::String before_;
};

std::vector<ModelItem*> itemsOf(juce::Component& parent) {
  std::vector<ModelItem*> items;
  for_each_component(parent, [&](juce::Component& component) {
    if (auto* item = dynamic_cast<ModelItem*>(&component)) items.push_back(item);
  });
  return items;
}

}  // namespace

TEST_CASE("the Python of an installed command is found, and written down where the engine looks") {
  const Home home;
  const juce::File python = home.folder().getChildFile("venv/bin/python3");
  const juce::File command = home.folder().getChildFile("venv/bin/stemlane");
  REQUIRE(python.create());
  const Path path("relative:" + home.folder().getChildFile("empty").getFullPathName() + ":" +
                  command.getParentDirectory().getFullPathName());
  REQUIRE(command.replaceWithText("#!" + python.getFullPathName() + "\nprint()\n"));
  CHECK(installedPython() == python);
  REQUIRE(command.replaceWithText("#!/nowhere/python3\n"));
  CHECK(installedPython() != python);
  REQUIRE(
      command.replaceWithText("\x7F"
                              "ELF"));
  CHECK(installedPython() != python);

  const juce::File configuration = home.folder().getChildFile("stemlane/engine.conf");
  CHECK(linkPython(python) == "");
  CHECK(configuration.loadFileAsString() == "python=" + python.getFullPathName() + "\n");
  REQUIRE(configuration.replaceWithText("# mine\npython=/old\nother=1\n", false, false, "\n"));
  CHECK(linkPython(python) == "");
  CHECK(configuration.loadFileAsString() == "# mine\nother=1\npython=" + python.getFullPathName() + "\n");
  REQUIRE(configuration.getParentDirectory().deleteRecursively());
  REQUIRE(configuration.getParentDirectory().replaceWithText("in the way"));
  CHECK(linkPython(python).startsWith(configuration.getFullPathName() + " cannot be written: "));
}

TEST_CASE("an engine that finds no Python is told from one that fails otherwise") {
  // As cpp/engine/python_home.cpp and launcher.cpp say it.
  CHECK(lacksPython("no Python at /a (named in STEMLANE_PYTHON)"));
  CHECK(lacksPython(
      "no Python for the engine was found; run 'stemlane plugin install', or set STEMLANE_PYTHON"));
  CHECK(lacksPython("Python from the bundle does not start: no module; run 'stemlane plugin install' again"));
  CHECK_FALSE(lacksPython("the engine has crashed"));
}

TEST_CASE("the status line links an installed Python with one click") {
  const Home home;
  const juce::File bin = home.folder().getChildFile("bin");
  const juce::File python = bin.getChildFile("python3");
  REQUIRE(python.create());
  REQUIRE(bin.getChildFile("stemlane").replaceWithText("#!" + python.getFullPathName() + "\n"));
  const Path path(bin.getFullPathName());
  Host host("loses-python");
  Window window(*host.processor);
  *host.processor->parameters().strips[0].mute = true;
  host.play(noise(2, 2000));
  REQUIRE(wait_for([&] { return host.processor->remedy() == StemlaneProcessor::Remedy::python; }));
  window.editor.refresh();
  auto& fix = window.get<juce::TextButton>("Fix");
  CHECK(fix.getButtonText() == "Link again");
  window.click(fix);
  CHECK(home.folder().getChildFile("stemlane/engine.conf").loadFileAsString() ==
        "python=" + python.getFullPathName() + "\n");
}

TEST_CASE("what a model has cost is remembered, and what is no load is not") {
  const Home home;
  CHECK(rememberedLoad("live") == 0.0);
  rememberLoad("live", 0.25);
  rememberLoad("mix", 0.5);
  rememberLoad("live", 0.125);
  CHECK(rememberedLoad("live") == 0.125);
  CHECK(rememberedLoad("mix") == 0.5);
  const juce::File file = home.folder().getChildFile("stemlane/loads.xml");
  for (const char* damaged :
       {"", "<STEMLANE_LOADS", R"(<STEMLANE_LOADS><run model="live" load="-1"/></STEMLANE_LOADS>)",
        R"(<STEMLANE_LOADS><run model="live" load="1e9"/></STEMLANE_LOADS>)"}) {
    REQUIRE(file.replaceWithText(damaged));
    CHECK(rememberedLoad("live") == 0.0);
  }
  rememberLoad("live", 0.25);
  CHECK(rememberedLoad("live") == 0.25);
}

TEST_CASE("the menu of models says what each costs and gives, as soon as that is known") {
  const Home home;
  rememberLoad("mix", 0.42);
  Host host("live");
  Window window(*host.processor);
  auto& box = window.get<ModelBox>("Model");
  box.showPopup();
  pump();
  const auto live = [&]() -> ModelItem* {
    for (auto* item : itemsOf(window.editor))
      if (item->getTitle() == "Live") return item;
    return nullptr;
  };
  REQUIRE(live() != nullptr);
  for (auto* item : itemsOf(window.editor))
    CHECK(item->facts().endsWith("42 % of a core") == (item->getTitle() == "Mix"));
  const juce::String dot = juce::String::fromUTF8(" \u00b7 ");
  CHECK(wait_for([&] {
    host.processor->shop().poll();
    pump();
    return live() != nullptr && live()->below() == "for playing live" + dot + "MIT";
  }));
  box.hidePopup();
  pump();
}
