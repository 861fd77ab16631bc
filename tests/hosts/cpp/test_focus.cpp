// SPDX-License-Identifier: GPL-3.0-or-later
#include "editor/FocusBar.h"
#include "window.h"

using namespace stemlane;

namespace {

/// An editor with the vocals' focus at hand.
struct Desk {
  explicit Desk(const char* model = "live") : host(model) { window.editor.refresh(); }

  Host host;
  Window window{*host.processor};
  FocusBar& bar = window.get<FocusBar>("Vocals focus");
  juce::AudioParameterFloat& vocals = *host.processor->parameters().strips[0].focus;
};

}  // namespace

TEST_CASE("a focus is dragged from where it is, in whole per cent, finely with Shift") {
  Desk desk;
  const auto width = static_cast<float>(desk.bar.getWidth());
  desk.window.click(desk.bar);
  CHECK(desk.vocals.get() == 50.0F);
  desk.window.press(desk.window.middle(desk.bar));
  desk.window.drag(width / 4, 0.0F);
  CHECK(desk.vocals.get() == Approx(75.0F).margin(1.0));
  desk.window.drag(-width / 4, 0.0F);
  CHECK(desk.vocals.get() == 50.0F);
  desk.window.drag(width / 2, 0.0F, Keys::shiftModifier);
  CHECK(desk.vocals.get() == Approx(55.0F).margin(1.0));
  desk.window.drag(10 * width, 0.0F);
  CHECK(desk.vocals.get() == 100.0F);
  desk.window.release();
  desk.host.processor->edits().undo();  // the whole drag was one edit
  CHECK(desk.vocals.get() == 50.0F);
}

TEST_CASE("wheel and keys move a focus, and a double-click sets it back") {
  Desk desk;
  desk.window.wheel(desk.bar, 0.3F);
  CHECK(desk.vocals.get() == 52.0F);
  desk.window.wheel(desk.bar, -0.3F, Keys::ctrlModifier);
  CHECK(desk.vocals.get() == 51.0F);
  for (int i = 0; i < 9; ++i) desk.window.wheel(desk.bar, 0.03F, 0, true);  // a touchpad: 2.7 steps
  CHECK(desk.vocals.get() == 55.0F);
  desk.window.focus(desk.bar);
  desk.window.key(juce::KeyPress::leftKey);
  CHECK(desk.vocals.get() == 53.0F);
  desk.window.key(juce::KeyPress::pageUpKey);
  CHECK(desk.vocals.get() == 63.0F);
  desk.window.key(juce::KeyPress::endKey);
  CHECK(desk.vocals.get() == 0.0F);
  desk.window.key(juce::KeyPress::homeKey);
  CHECK(desk.vocals.get() == 100.0F);
  desk.window.double_click(desk.bar);
  CHECK(desk.vocals.get() == 50.0F);
  desk.vocals = 20.0F;
  pump();
  desk.window.key(juce::KeyPress::deleteKey);
  CHECK(desk.vocals.get() == 50.0F);
  CHECK(desk.bar.getTextFromValue(desk.bar.getValue()) == "50 %");
}

TEST_CASE("a model without masks has its focus greyed, and keeps what was set") {
  Desk desk("duo");
  desk.vocals = 80.0F;
  CHECK_FALSE(desk.bar.isEnabled());
  desk.window.wheel(desk.bar, 0.3F);
  desk.window.press(desk.window.middle(desk.bar));
  desk.window.drag(20.0F, 0.0F);
  desk.window.release();
  CHECK(desk.vocals.get() == 80.0F);
  desk.host.processor->setModel("live");
  desk.window.editor.refresh();
  CHECK(desk.bar.isEnabled());
}
