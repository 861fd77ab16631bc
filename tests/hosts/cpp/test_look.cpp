// SPDX-License-Identifier: GPL-3.0-or-later
// What holds for everything in the editor at once: contrast, names, reach of the keyboard, size.
#include <set>

#include "core/contract.h"
#include "editor/pages.h"
#include "home.h"
#include "host/engine_configuration.h"
#include "window.h"

using namespace stemlane;

namespace {

/// Wide, narrow, and in between.
const std::vector<EditorSize> kSizes = {kSmallestEditor, StemlaneEditor::kUsualSize, {1600, 1000}};

bool isControl(juce::Component& component) {
  return component.isShowing() && component.isEnabled() && component.getWantsKeyboardFocus() &&
         component.findParentComponentOfClass<juce::AudioProcessorEditor>() != nullptr;
}

}  // namespace

TEST_CASE("contrast is what the formula says of black, white and grey") {
  CHECK(contrastRatio(juce::Colours::black, juce::Colours::white) == Approx(21.0));
  CHECK(contrastRatio(juce::Colours::white, juce::Colours::white) == Approx(1.0));
  // #767676 on white is the darkest grey that is said to pass.
  CHECK(contrastRatio(juce::Colour(0xff767676), juce::Colours::white) == Approx(4.54).margin(0.01));
}

TEST_CASE("every text can be told from its ground") {
  for (const TextOnGround& pair : textsOnGrounds()) {
    INFO(pair.where << ": " << contrastRatio(pair.text, pair.ground));
    CHECK(contrastRatio(pair.text, pair.ground) >= 4.5);
  }
  for (int stem = 0; stem < kNumStems; ++stem) {
    CHECK(contrastRatio(colours::stem(stem), colours::panel) >= 3.0);  // WCAG 1.4.11: what is no text
    CHECK(contrastRatio(colours::stem(stem), colours::groove) >= 3.0);
  }
  CHECK(contrastRatio(colours::focus, colours::background) >= 3.0);
}

TEST_CASE("everything that can be used has a name, a tooltip and a value for screen readers") {
  Host host("live");
  Window window(*host.processor);
  *host.processor->parameters().strips[0].gain = -3.0F;
  std::set<juce::String> names;
  for_each_component(window.editor, [&](juce::Component& component) {
    if (!isControl(component)) return;
    const juce::String name = component.getTitle();
    INFO(name.toStdString() << " at " << component.getBounds().toString().toStdString());
    CHECK(name.isNotEmpty());
    CHECK(names.insert(name).second);
    auto* tooltip = dynamic_cast<juce::TooltipClient*>(&component);
    REQUIRE(tooltip != nullptr);
    CHECK(tooltip->getTooltip().isNotEmpty());
    REQUIRE(component.getAccessibilityHandler() != nullptr);
    // JUCE reads a box's choice as its name, and its tooltip as help.
    if (dynamic_cast<juce::ComboBox*>(&component) == nullptr)
      CHECK(component.getAccessibilityHandler()->getTitle() == name);
  });
  CHECK(names.size() > 20);
  const auto* value = window.get<Fader>("Vocals gain").getAccessibilityHandler()->getValueInterface();
  REQUIRE(value != nullptr);
  CHECK(value->getCurrentValueAsString() == juce::String::fromUTF8("\u22123.0 dB"));
  const auto* level = window.get<StereoMeter>("Vocals level").getAccessibilityHandler()->getValueInterface();
  REQUIRE(level != nullptr);
  CHECK(level->getCurrentValueAsString() == juce::String::fromUTF8("\u2212\u221e dB"));
}

TEST_CASE("Tab reaches everything that can be used, and what it reaches shows it") {
  Host host("live");
  Window window(*host.processor);
  std::set<juce::Component*> wanted, reached;
  for_each_component(window.editor, [&](juce::Component& component) {
    if (isControl(component)) wanted.insert(&component);
  });
  window.focus(window.get<juce::TextButton>("Karaoke"));
  for (std::size_t i = 0; i < 2 * wanted.size(); ++i) {
    reached.insert(juce::Component::getCurrentlyFocusedComponent());
    window.key(juce::KeyPress::tabKey);
  }
  for (auto* component : wanted) {
    INFO(component->getTitle().toStdString());
    CHECK(reached.count(component) == 1);
  }
  const auto picture = [&](juce::Component& component) {
    return component.createComponentSnapshot(component.getLocalBounds());
  };
  auto& button = window.get<juce::TextButton>("Drumless");
  const juce::Image before = picture(button);
  window.focus(button);
  CHECK(before.getPixelAt(20, 1) != picture(button).getPixelAt(20, 1));
  CHECK(picture(button).getPixelAt(20, 1) == colours::focus);
}

TEST_CASE("a switch is pressed by the keyboard") {
  Host host("live");
  Window window(*host.processor);
  window.focus(window.get<juce::TextButton>("Solo Bass"));
  window.key(juce::KeyPress::returnKey, 0, '\r');
  // JUCE shows a button pressed by key for a moment; the click itself is posted.
  CHECK(host.processor->parameters().strips[2].solo->get());
}

TEST_CASE("at every size all parts lie inside and none over another") {
  Host host("live");
  Window window(*host.processor);
  StemlaneEditor& editor = window.editor;
  for (const EditorSize size : kSizes) {
    editor.setSize(size.width, size.height);
    editor.refresh();
    std::vector<juce::Component*> leaves;
    for_each_component(editor, [&](juce::Component& component) {
      const bool isMeter = dynamic_cast<StereoMeter*>(&component) != nullptr && component.isShowing();
      if (isControl(component) || isMeter) leaves.push_back(&component);
    });
    CHECK(leaves.size() > 20);
    for (auto* component : leaves) {
      INFO(size.width << " wide: " << component->getTitle().toStdString());
      const auto area = editor.getLocalArea(component, component->getLocalBounds());
      CHECK(editor.getLocalBounds().contains(area));
      CHECK(area.getWidth() >= 13);
      CHECK(area.getHeight() >= 20);
      for (auto* other : leaves) {
        const bool related =
            component == other || component->isParentOf(other) || other->isParentOf(component);
        // A meter stands inside its fader's box, beside the fader.
        const bool beside = component->getParentComponent() == other->getParentComponent() &&
                            component->findParentComponentOfClass<StemStrip>() != nullptr;
        INFO("and " << other->getTitle().toStdString());
        if (!related && !beside)
          CHECK_FALSE(area.intersects(editor.getLocalArea(other, other->getLocalBounds())));
      }
    }
  }
}

TEST_CASE("the size is remembered in the state, within bounds") {
  Host host("live");
  juce::MemoryBlock plain;
  host.processor->getStateInformation(plain);
  {
    StemlaneEditor editor(*host.processor);
    CHECK(editor.getWidth() == StemlaneEditor::kUsualSize.width);
  }
  juce::MemoryBlock opened;
  host.processor->getStateInformation(opened);
  CHECK(plain == opened);  // opening an editor is no change of a session
  {
    StemlaneEditor editor(*host.processor);
    editor.setSize(1234, 777);
  }
  juce::MemoryBlock saved;
  host.processor->getStateInformation(saved);
  StemlaneProcessor other;
  other.setStateInformation(saved.getData(), static_cast<int>(saved.getSize()));
  StemlaneEditor editor(other);
  CHECK(editor.getWidth() == 1234);
  CHECK(editor.getHeight() == 777);
  editor.setBoundsConstrained({0, 0, 10, 10});
  CHECK(editor.getWidth() == kSmallestEditor.width);

  // A state that knows of no size, or of an impossible one, leaves the window alone.
  other.setStateInformation(plain.getData(), static_cast<int>(plain.getSize()));
  CHECK(other.editorSize() == EditorSize{kSmallestEditor.width, kSmallestEditor.height});
  for (const char* size : {"1000000", "-5", "12", "wide"}) {
    juce::XmlElement xml("STEMLANE");
    xml.setAttribute("editor_width", size);
    xml.setAttribute("editor_height", 700);
    juce::MemoryBlock block;
    juce::AudioProcessor::copyXmlToBinary(xml, block);
    other.setStateInformation(block.getData(), static_cast<int>(block.getSize()));
    CHECK(other.editorSize() == EditorSize{kSmallestEditor.width, kSmallestEditor.height});
  }
}

TEST_CASE("at twice the scale the same picture has twice the pixels") {
  Host host("live");
  StemlaneEditor editor(*host.processor);
  for (const float scale : {1.0F, 2.0F}) {
    const juce::Image image = editor.createComponentSnapshot(editor.getLocalBounds(), true, scale);
    CHECK(image.getWidth() == juce::roundToInt(scale * static_cast<float>(editor.getWidth())));
    CHECK(image.getPixelAt(2, 2) == colours::background);
  }
}

TEST_CASE("the settings say what computes, and where that comes from") {
  Host host("live");
  const auto rowOf = [&](const char* name, const juce::String& problem = {}) {
    juce::Component nobody;
    for (const auto& row : settingsRows(*host.processor, nobody, problem, [](const juce::String&) {}))
      if (row.name == name) return row;
    return InfoPanel::Row{};
  };
  const auto computing = [&](const juce::String& problem = {}) { return rowOf("Computing", problem); };
  const juce::File folder = juce::File::createTempFile("configuration");
  setenv("XDG_CONFIG_HOME", folder.getFullPathName().toRawUTF8(), 1);
  CHECK(computing().value.startsWith("on the processor"));
  CHECK(computing().action == "Change");
  CHECK(set_configured(user_engine_configuration(), contract::kProviderKey, "openvino").empty());
  CHECK(computing().value.startsWith("openvino, if it gives the right stems: "));
  CHECK(rowOf("Engine's Python").value.startsWith("found beside the plugin"));  // the file names none
  CHECK(set_configured(user_engine_configuration(), contract::kPythonKey, "/opt/python3").empty());
  CHECK(rowOf("Engine's Python").value.startsWith("named in "));
  CHECK(computing("it cannot be written").value == "it cannot be written");
  setenv(contract::kProviderVariable, "cuda", 1);
  CHECK(computing().value.startsWith("STEMLANE_PROVIDER asks for cuda: "));
  CHECK(computing().action.isEmpty());
  unsetenv(contract::kProviderVariable);
  unsetenv("XDG_CONFIG_HOME");
  folder.deleteRecursively();
}

TEST_CASE("a provider that is chosen from the menu is written down, and the page says so") {
  const Home home;
  Host host("live");
  Window window(*host.processor);
  window.editor.showSettings();
  window.click(window.get<juce::TextButton>("Change Computing"));
  pump();
  const auto item = [&](const char* title) { return menu_item(window.editor, title); };
  for (const char* name : contract::kProviders) {
    INFO(name);
    CHECK(item(name) != nullptr);
  }
  CHECK(configured_in(user_engine_configuration(), contract::kProviderKey).empty());
  REQUIRE(item("openvino") != nullptr);
  CHECK(item("openvino")->getActions().invoke(juce::AccessibilityActionType::press));
  CHECK(wait_for([&] {
    pump();
    window.editor.refresh();
    auto* page = find<InfoPanel>(window.editor, "Settings");
    return page != nullptr && page->getDescription().contains("openvino, if it gives the right stems: ");
  }));
  CHECK(configured_in(user_engine_configuration(), contract::kProviderKey) == "openvino");
}

TEST_CASE("pages open over the editor and close by Escape or their button") {
  Host host("live");
  Window window(*host.processor);
  window.editor.showSettings();
  CHECK(find<InfoPanel>(window.editor, "Settings") != nullptr);
  window.click(window.get<juce::TextButton>("Close"));
  window.editor.refresh();
  CHECK(find<InfoPanel>(window.editor, "Settings") == nullptr);
  window.editor.showAbout();
  const juce::String about = window.get<InfoPanel>("About").getDescription();
  for (const juce::String& part :
       {juce::String(JucePlugin_VersionString), juce::String(STEMLANE_JUCE_VERSION),
        juce::String(STEMLANE_BINARY_LICENCE), StemlaneLook::typefaceLicence()})
    CHECK(about.contains(part));
  window.key(juce::KeyPress::escapeKey);
  window.editor.refresh();
  CHECK(find<InfoPanel>(window.editor, "About") == nullptr);
}
