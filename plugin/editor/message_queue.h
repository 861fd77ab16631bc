// SPDX-License-Identifier: GPL-3.0-or-later
// Delivers messages where no host's loop does: in tests and in the program that draws the pictures.
#pragma once

#include <juce_events/juce_events.h>

// JUCE has it for its own modal loops, declared nowhere.
namespace juce {
#if JUCE_MAJOR_VERSION >= 8
namespace detail {
bool dispatchNextMessageOnSystemQueue(bool returnIfNoPendingMessages);
}
using detail::dispatchNextMessageOnSystemQueue;
#else
bool dispatchNextMessageOnSystemQueue(bool returnIfNoPendingMessages);
#endif
}  // namespace juce

namespace stemlane {

/// Lets all messages arrive that are under way. Message thread.
inline void deliverMessages() {
  while (juce::dispatchNextMessageOnSystemQueue(true)) {
  }
}

}  // namespace stemlane
