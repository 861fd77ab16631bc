// SPDX-License-Identifier: GPL-3.0-or-later
// A value that one thread replaces and others read, without either waiting for the other's work.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace stemlane {

/// The lock is held while a pointer is copied, no longer. Any thread but the audio thread.
template <typename Value>
class Published {
 public:
  void publish(Value value) {
    auto next = std::make_shared<const Value>(std::move(value));
    const std::lock_guard lock(mutex_);
    value_.swap(next);
  }
  std::shared_ptr<const Value> read() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Value> value_ = std::make_shared<const Value>();
};

}  // namespace stemlane
