// SPDX-License-Identifier: GPL-3.0-or-later
// What each model has cost when it last ran on this machine, kept from session to session.
#pragma once

#include <string>

#include "processor/PluginProcessor.h"

namespace stemlane {

/// Share of a core that a model's engine took when it last ran, 1 for a whole one; 0: it never has. Any
/// thread but the audio thread.
double rememberedLoad(const std::string& model);

/// Keeps it. Where nothing can be written it is forgotten.
void rememberLoad(const std::string& model, double load);

/// Of the model in use: what it takes now, else what it last took. Message thread.
double loadOf(StemlaneProcessor& processor);
/// Keeps what the model in use takes, if that has been measured over a while. Message thread.
void rememberLoadOf(StemlaneProcessor& processor);

}  // namespace stemlane
