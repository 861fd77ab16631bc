// SPDX-License-Identifier: GPL-3.0-or-later
// What the pages "Settings" and "About" say.
#pragma once

#include <functional>
#include <vector>

#include "editor/InfoPanel.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

/// `onChange` is called after a setting has been changed, with what went wrong, if something did; `problem`
/// is that of the last change.
std::vector<InfoPanel::Row> settingsRows(StemlaneProcessor& processor, juce::Component& editor,
                                         const juce::String& problem,
                                         std::function<void(juce::String)> onChange);
std::vector<InfoPanel::Row> aboutRows();

}  // namespace stemlane
