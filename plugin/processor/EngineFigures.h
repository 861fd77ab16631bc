// SPDX-License-Identifier: GPL-3.0-or-later
// How much of its time an engine uses: from the times of its last steps, which it publishes.
#pragma once

#include <cstdint>

#include "stream/stem_stream.h"

namespace stemlane {

struct EngineFigures {
  int numSteps = 0;   ///< that the figures are from: the last 256 at most; 0: none are known
  double load = 0.0;  ///< mean share of a core, 1 for a whole one
  double p99 = 0.0;   ///< share of a step's deadline that 99 of 100 stay below
};

/// Figures of the stream's engine, while nothing prepares the stream. The engine writes the times:
/// they are shown and trusted with nothing.
EngineFigures engineFigures(const StemStream& stream);

}  // namespace stemlane
