// SPDX-License-Identifier: MIT
// Programs for fuzz targets: strings of bytes from which numbers are read.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

/// Reads numbers off a string of bytes; zeros once it is used up.
class Bytes {
 public:
  explicit Bytes(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  bool empty() const { return next_ >= bytes_.size(); }
  template <typename Number>
  Number take() {
    Number number{};
    const std::size_t count = std::min(sizeof number, bytes_.size() - std::min(next_, bytes_.size()));
    if (count > 0) std::memcpy(&number, bytes_.data() + next_, count);
    next_ += sizeof number;
    return number;
  }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t next_ = 0;
};

/// A program of `num_bytes` random bytes.
inline std::vector<std::uint8_t> random_attack(unsigned seed, int num_bytes) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> byte(0, 255);
  std::vector<std::uint8_t> program(static_cast<std::size_t>(num_bytes));
  for (auto& value : program) value = static_cast<std::uint8_t>(byte(generator));
  return program;
}
