// SPDX-License-Identifier: GPL-3.0-or-later
// The editor on a screen of twice the size, and the host's own menus.
#include "window.h"

using namespace stemlane;

namespace {

/// Two pixels where there was one, for the time of a test.
struct LargeScreen {
  LargeScreen() { juce::Desktop::getInstance().setGlobalScaleFactor(2.0F); }
  ~LargeScreen() { juce::Desktop::getInstance().setGlobalScaleFactor(1.0F); }
};

/// Bounds of everything that is shown, by titles.
std::vector<std::pair<juce::String, juce::Rectangle<int>>> layoutOf(StemlaneEditor& editor) {
  std::vector<std::pair<juce::String, juce::Rectangle<int>>> all;
  for_each_component(editor, [&](juce::Component& component) {
    if (component.isShowing()) all.emplace_back(component.getTitle(), component.getBounds());
  });
  return all;
}

/// A host that has a menu for every parameter, and remembers which one was shown.
class HostMenus final : public juce::AudioProcessorEditorHostContext {
 public:
  mutable const juce::AudioProcessorParameter* shown = nullptr;
  mutable juce::Point<int> position;

  std::unique_ptr<juce::HostProvidedContextMenu> getContextMenuForParameter(
      const juce::AudioProcessorParameter* parameter) const override {
    struct Menu final : juce::HostProvidedContextMenu {
      Menu(const HostMenus& owner, const juce::AudioProcessorParameter* which)
          : host(owner), parameter(which) {}
      juce::PopupMenu getEquivalentPopupMenu() const override { return {}; }
      void showNativeMenu(juce::Point<int> at) const override {
        host.shown = parameter;
        host.position = at;
      }
      const HostMenus& host;
      const juce::AudioProcessorParameter* parameter;
    };
    return std::make_unique<Menu>(*this, parameter);
  }
};

}  // namespace

TEST_CASE("on a screen of twice the size everything is where it was, and is hit by mouse and keyboard") {
  Host host("live");
  std::vector<std::pair<juce::String, juce::Rectangle<int>>> plain;
  {
    Window window(*host.processor);
    plain = layoutOf(window.editor);
  }
  REQUIRE(plain.size() > 20);
  const LargeScreen large;
  Window window(*host.processor);
  CHECK(layoutOf(window.editor) == plain);
  CHECK(window.editor.getPeer()->getBounds().getWidth() == 2 * window.editor.getWidth());
  const auto& vocals = host.processor->parameters().strips[0];
  window.click(window.get<juce::TextButton>("Mute Vocals"));
  CHECK(vocals.mute->get());
  auto& fader = window.get<Fader>("Vocals gain");
  window.press(window.middle(fader));
  window.drag(0.0F, -30.0F);
  window.release();
  const float moved = vocals.gain->get();
  CHECK(moved > 0.0F);
  window.focus(fader);
  window.key(juce::KeyPress::downKey);
  CHECK(vocals.gain->get() == Approx(moved - 1.0F));
  window.editor.showFiles();
  window.click(window.get<juce::TextButton>("Close"));
  window.editor.refresh();
  CHECK(find<juce::TextButton>(window.editor, "Close") == nullptr);
}

TEST_CASE("a host's scale doubles the picture and changes nothing in it") {
  Host host("live");
  StemlaneEditor editor(*host.processor);
  const auto plain = layoutOf(editor);
  const EditorSize size{editor.getWidth(), editor.getHeight()};
  editor.setScaleFactor(2.0F);
  CHECK(editor.getWidth() == size.width);
  CHECK(editor.getTransform() == juce::AffineTransform::scale(2.0F));
  CHECK(layoutOf(editor) == plain);
  CHECK_FALSE(host.processor->editorSize());  // the user has not resized it
}

TEST_CASE("the right button opens the host's menu of a parameter, and moves nothing") {
  Host host("live");
  HostMenus menus;
  Window window(*host.processor);
  window.editor.setHostContext(&menus);
  const auto& vocals = host.processor->parameters().strips[0];
  const auto press = [&](const char* title) {
    auto* component = find<juce::Component>(window.editor, title);
    REQUIRE(component != nullptr);
    menus.shown = nullptr;
    window.click(window.middle(*component), 0, Keys::rightButtonModifier);
    return menus.shown;
  };
  CHECK(press("Vocals gain") == vocals.gain);
  CHECK(press("Mute Vocals") == vocals.mute);
  CHECK(press("Solo Vocals") == vocals.solo);
  CHECK(press("Output gain") == host.processor->parameters().outputGain);
  CHECK(press("Reset all") == nullptr);
  CHECK(vocals.gain->get() == 0.0F);
  CHECK_FALSE(vocals.mute->get());
  CHECK_FALSE(vocals.solo->get());
  window.editor.setHostContext(nullptr);
  CHECK(press("Vocals gain") == nullptr);
}
