// SPDX-License-Identifier: GPL-3.0-or-later
// See drag_out.h.
#include "editor/drag_out.h"

namespace stemlane {
namespace {

constexpr int kDragPixels = 4;

}  // namespace

// For X11, JUCE makes a path an address without escaping it: a "#" or "%" in it would mean something else. It
// leaves an address as it is.
juce::String draggedAs(const juce::File& file) {
#if JUCE_LINUX || JUCE_BSD
  return juce::URL(file).toString(false);
#else
  return file.getFullPathName();
#endif
}

bool isDrag(const juce::MouseEvent& event) {
  return event.getDistanceFromDragStart() > kDragPixels;
}

void dragOut(const std::vector<juce::File>& files, juce::Component& from, const juce::MouseEvent& event) {
  if (!isDrag(event)) return;
  juce::StringArray dragged;
  for (const juce::File& file : files)
    if (file.existsAsFile()) dragged.add(draggedAs(file));
  if (!dragged.isEmpty()) juce::DragAndDropContainer::performExternalDragDropOfFiles(dragged, false, &from);
}

}  // namespace stemlane
