// SPDX-License-Identifier: GPL-3.0-or-later
// What the pages "Settings" and "About" say.
#pragma once

#include <vector>

#include "editor/InfoPanel.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

std::vector<InfoPanel::Row> settingsRows(StemlaneProcessor& processor);
std::vector<InfoPanel::Row> aboutRows();

}  // namespace stemlane
