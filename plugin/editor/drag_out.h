// SPDX-License-Identifier: GPL-3.0-or-later
// Files that the mouse carries out of the editor, into a DAW's timeline or a file manager.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <vector>

namespace stemlane {

/// What JUCE is given for a file, so that whoever it is dropped on finds the file, whatever its name.
juce::String draggedAs(const juce::File& file);

/// Whether a press has become a drag: until then it may still be a click.
bool isDrag(const juce::MouseEvent& event);

/// Carries the files that are there, in their order, if the press on `from` is a drag. Message thread, from
/// `mouseDrag`.
void dragOut(const std::vector<juce::File>& files, juce::Component& from, const juce::MouseEvent& event);

}  // namespace stemlane
