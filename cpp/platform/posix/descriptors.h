// SPDX-License-Identifier: MIT
// What the POSIX files of this folder share: a handle is one descriptor, or two where a system has
// an end for each direction.
#pragma once

#include <cstddef>

#include "platform/native_handle.h"

namespace stemlane {

/// Where a child finds its channel; its handles follow, `kDescriptorsPerHandle` each.
inline constexpr int kChannelDescriptor = 3;
inline constexpr int kFirstHandleDescriptor = 4;

struct Descriptors {
  int first = -1;   ///< what is waited on
  int second = -1;  ///< what is written to, if that is another one
};

Descriptors descriptors_of(NativeHandle handle) noexcept;
NativeHandle handle_of(Descriptors descriptors) noexcept;

// --- What each system defines for itself ------------------------------------------------------

/// 2 where an event is two descriptors. A child then gets two of everything else as well, so that
/// it knows their numbers without being told what is what.
extern const int kDescriptorsPerHandle;

/// Takes all signals of an event that `descriptor` waits on. Never waits.
void take_signals(int descriptor) noexcept;

/// Memory without a name whose pages are reserved. Nothing, with errno set, if the system refuses.
OwnedHandle reserve_memory(std::size_t num_bytes) noexcept;

}  // namespace stemlane
