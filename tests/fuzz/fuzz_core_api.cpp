// SPDX-License-Identifier: MIT
// The C interface under any calls in any order, with any numbers: every call answers, nothing
// outside the caller's memory is touched, and what comes out is the input at its place.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "api/core_api.h"
#include "fuzz_bytes.h"

namespace {

constexpr int kNumStems = 3;
constexpr int kMostSamples = 600;

struct Free {
  void operator()(stemlane_stream* stream) const { stemlane_stream_free(stream); }
};
using Stream = std::unique_ptr<stemlane_stream, Free>;

// Of the size that is asked for, so that the sanitizer sees every step beyond it.
std::vector<float> samples(std::size_t count, std::mt19937& generator) {
  std::vector<float> values(count);
  std::uniform_real_distribution<float> amplitude(-1.0F, 1.0F);
  for (float& value : values) value = amplitude(generator);
  values.shrink_to_fit();
  return values;
}

int32_t any_number(Bytes& bytes) {
  const auto kind = bytes.take<std::uint8_t>() % 8U;
  if (kind == 0) return bytes.take<std::int32_t>();
  if (kind == 1) return std::numeric_limits<std::int32_t>::max();
  if (kind == 2) return -1;
  return bytes.take<std::uint16_t>() % (kMostSamples + 8);
}

stemlane_model any_model(Bytes& bytes) {
  stemlane_model model{8000.0, 64, 128, 64, kNumStems, {0, 1, 2, 3, 4}, 5};
  const auto choice = bytes.take<std::uint8_t>() % 24U;
  if (choice == 0) model.model_rate = std::numeric_limits<double>::quiet_NaN();
  if (choice == 1) model.model_rate = bytes.take<double>();
  if (choice == 2) model.stride_samples = any_number(bytes);
  if (choice == 3) model.delay_samples = any_number(bytes);
  if (choice == 4) model.compute_allowance_samples = any_number(bytes);
  if (choice == 5) model.num_stems = any_number(bytes);
  if (choice == 6) model.stems[bytes.take<std::uint8_t>() % 5U] = any_number(bytes);
  if (choice == 7) model.residual = any_number(bytes);
  return model;
}

class Caller {
 public:
  std::string run(const std::vector<std::uint8_t>& program) {
    Bytes bytes(program);
    while (!bytes.empty() && problem_.empty()) {
      if (stream_ == nullptr)
        make(bytes);
      else
        step(bytes);
    }
    return problem_;
  }

 private:
  void make(Bytes& bytes) {
    const stemlane_model model = any_model(bytes);
    num_channels_ =
        bytes.take<std::uint8_t>() % 8U == 0 ? any_number(bytes) : 1 + bytes.take<std::uint8_t>() % 2;
    const double rate = bytes.take<std::uint8_t>() % 8U == 0 ? bytes.take<double>() : 8000.0;
    const auto most = bytes.take<std::uint8_t>() % 8U == 0 ? any_number(bytes) : kMostSamples;
    stream_.reset(stemlane_stream_new(&model, rate, num_channels_, most));
    if (stream_ == nullptr) return expect_text();
    num_stems_ = model.num_stems;
    forget();
    if (stemlane_stream_latency(stream_.get()) < 0) problem_ = "a stream without a latency";
  }

  void step(Bytes& bytes) {
    const auto choice = bytes.take<std::uint8_t>() % 64U;
    if (choice == 0) {
      stream_.reset();
    } else if (choice < 3) {
      if (stemlane_stream_reset(stream_.get()) != 0) problem_ = "a reset that fails";
      forget();
    } else if (choice < 5) {
      nulls();
    } else if (choice < 25) {
      push(bytes);
    } else if (choice < 35) {
      put(choice < 30 ? static_cast<int32_t>(unanswered_) : any_number(bytes));
    } else {
      pull(bytes);
    }
  }

  void push(Bytes& bytes) {
    const int32_t n = any_number(bytes);
    auto mixture = samples(planes(num_channels_, n), generator_);
    std::array<float, 6> gains{1.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
    const auto kind = bytes.take<std::uint8_t>() % 8U;
    if (kind == 0) gains[bytes.take<std::uint8_t>() % 6U] = bytes.take<float>();
    if (kind == 1) gains[1] = 0.0F;
    const bool finite =
        std::all_of(gains.begin(), gains.end(), [](float gain) { return std::isfinite(gain); });
    const int32_t code = stemlane_stream_push(stream_.get(), mixture.data(), n, gains.data());
    if (code != 0) return expect_text();
    if (n < 0 || !finite || pushed_ != 0) problem_ = "a push that should have failed";
    pushed_ = n;
    unanswered_ += n;
    equal_ = equal_ && kind > 1;
    heard_.insert(heard_.end(), mixture.begin(), mixture.begin() + n);  // the first channel
  }

  void put(int32_t n) {
    const auto stems = samples(planes(num_stems_ * num_channels_, n), generator_);
    const int32_t code = stemlane_stream_put_stems(stream_.get(), stems.data(), n);
    if ((code == 0) != (n >= 0 && n <= unanswered_))
      problem_ = "stems that were not pushed are taken, or others not";
    if (code != 0) return expect_text();
    unanswered_ -= n;
  }

  void pull(Bytes& bytes) {
    const auto kind = bytes.take<std::uint8_t>();
    const int32_t n = kind % 8U == 0 ? any_number(bytes) : static_cast<int32_t>(pushed_);
    auto out = samples(planes(num_channels_, n), generator_);
    const auto call = kind % 2U == 0 ? stemlane_stream_pull : stemlane_stream_pull_now;
    if (call(stream_.get(), out.data(), n) != 0) return expect_text();
    if (n != pushed_) problem_ = "a pull of what was not pushed";
    pushed_ = 0;
    const auto end = static_cast<std::int64_t>(heard_.size());
    for (std::int64_t i = 0; i < n && problem_.empty() && equal_; ++i) {
      const std::int64_t at = end - n + i - stemlane_stream_latency(stream_.get());
      if (out[static_cast<std::size_t>(i)] != (at < 0 ? 0.0F : heard_[static_cast<std::size_t>(at)]))
        problem_ = "with equal gains the output is not the delayed mixture";
    }
  }

  void nulls() {
    const float gains[6] = {};
    if (stemlane_stream_new(nullptr, 44100.0, 2, 512) != nullptr || stemlane_stream_latency(nullptr) >= 0 ||
        stemlane_stream_reset(nullptr) == 0 || stemlane_stream_push(nullptr, gains, 1, gains) == 0 ||
        stemlane_stream_push(stream_.get(), nullptr, 1, gains) == 0 ||
        stemlane_stream_push(stream_.get(), gains, 1, nullptr) == 0 ||
        stemlane_stream_put_stems(stream_.get(), nullptr, 1) == 0 ||
        stemlane_stream_pull(nullptr, nullptr, 1) == 0 ||
        stemlane_stream_pull(stream_.get(), nullptr, 1) == 0)
      problem_ = "a null pointer is taken";
  }

  // As many values as a call with `n` may touch; none where it must fail.
  static std::size_t planes(int64_t num_planes, int64_t n) {
    return n > 0 && n <= 100'000 ? static_cast<std::size_t>(num_planes * n) : 1;
  }

  void expect_text() {
    if (std::string(stemlane_error()).empty()) problem_ = "a failure without a text";
  }

  void forget() {
    heard_.clear();
    pushed_ = unanswered_ = 0;
    equal_ = true;
  }

  Stream stream_;
  std::mt19937 generator_{1};
  std::vector<float> heard_;
  std::int64_t pushed_ = 0;
  std::int64_t unanswered_ = 0;
  int32_t num_channels_ = 2;
  int32_t num_stems_ = kNumStems;
  bool equal_ = true;
  std::string problem_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string problem = Caller().run({data, data + size});
  if (problem.empty()) return 0;
  std::fprintf(stderr, "fuzz: %s\n", problem.c_str());
  std::abort();
}

int fuzz_last(double) {
  return 0;
}
