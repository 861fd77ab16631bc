// SPDX-License-Identifier: MIT
// Turns the C calls into calls of StemStream and exceptions into codes.
#include "api/core_api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/frame_length.h"
#include "stream/in_process_source.h"
#include "stream/stem_stream.h"

struct stemlane_stream {
  stemlane::StemStream stream;
  stemlane::InProcessSource* stems = nullptr;  ///< the stream's
  stemlane::StemGains gains = stemlane::kUnityGains;
  int num_pushed = 0;
};

namespace {

using namespace stemlane;

// As StemStream::prepare: 22 s at 48 kHz.
constexpr int kMostBlockSamples = 1 << 20;

// Least samples that are timed at once.
constexpr int kMeasuredSamples = 512;

thread_local std::string last_error;

template <typename Body>
int32_t guarded(Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown failure";
  }
  return -1;
}

void require(bool condition, const char* text) {
  if (!condition) throw std::invalid_argument(text);
}

using Channels = std::array<const float*, kMaxChannels>;

Channels channels_of(const float* planar, int num_samples) {
  return {planar, planar + num_samples};
}

void require_pointer(const void* pointer) {
  require(pointer != nullptr, "a pointer is null");
}

// A block that could not be pulled can be pulled once its stems have been put.
void pull(stemlane_stream* handle, float* out, int num_samples, bool complete) {
  require_pointer(handle);
  require(num_samples == handle->num_pushed, "pull: as many samples as were pushed are possible");
  if (num_samples > 0) require_pointer(out);
  std::array<float*, kMaxChannels> channels = {out, out + num_samples};
  StreamBlock block;
  block.out = channels.data();
  block.num_samples = num_samples;
  require(!complete || handle->stream.stems_ready(block), "pull: stems of this block have not been put yet");
  handle->num_pushed = 0;
  const DenormalGuard guard;
  handle->stream.set_offline(complete);
  handle->stream.pull(block);
}

InProcessSource& prepare_in_process(StemStream& stream, StreamConfig config) {
  config.origin = std::make_shared<InProcessOrigin>();
  stream.prepare(config);
  return dynamic_cast<InProcessSource&>(stream.source());
}

ModelDescriptor descriptor(const stemlane_model& model) {
  require(model.num_stems >= 1 && model.num_stems <= kMaxSeparatedStems, "num_stems: 1 to 5 are possible");
  require(model.residual >= 0 && model.residual < kNumStems, "residual: 0 to 5 are possible");
  ModelDescriptor result;
  result.name = "in process";
  result.sample_rate = model.model_rate;
  result.stride_samples = model.stride_samples;
  result.delay_samples = model.delay_samples;
  result.compute_allowance_samples = model.compute_allowance_samples;
  result.stems.assign(model.stems, model.stems + model.num_stems);
  result.residual = model.residual;
  return result;
}

}  // namespace

stemlane_stream* stemlane_stream_new(const stemlane_model* model, double sample_rate, int32_t num_channels,
                                     int32_t max_block_samples) {
  stemlane_stream* result = nullptr;
  guarded([&] {
    require_pointer(model);
    require(max_block_samples >= 1 && max_block_samples <= kMostBlockSamples,
            "max_block_samples: 1 to 1048576 are possible");
    auto handle = std::make_unique<stemlane_stream>();
    StreamConfig config;
    config.model = descriptor(*model);
    config.sample_rate = sample_rate;
    config.num_channels = num_channels;
    config.max_block_samples = max_block_samples;
    handle->stems = &prepare_in_process(handle->stream, config);
    result = handle.release();
  });
  return result;
}

int32_t stemlane_frame_samples(int32_t fft_samples, double model_rate, double sample_rate) {
  return stemlane::frame_samples(fft_samples, model_rate, sample_rate);
}

void stemlane_stream_free(stemlane_stream* stream) {
  delete stream;
}

int32_t stemlane_stream_latency(const stemlane_stream* stream) {
  int32_t latency = -1;
  guarded([&] {
    require_pointer(stream);
    latency = stream->stream.latency_samples();
  });
  return latency;
}

int32_t stemlane_stream_reset(stemlane_stream* stream) {
  return guarded([&] {
    require_pointer(stream);
    stream->stream.reset();
    stream->num_pushed = 0;
  });
}

int32_t stemlane_stream_push(stemlane_stream* stream, const float* mixture, int32_t num_samples,
                             const float* gains) {
  return guarded([&] {
    require_pointer(stream);
    require_pointer(gains);
    if (num_samples > 0) require_pointer(mixture);
    require(num_samples >= 0 && num_samples <= stream->stream.config().max_block_samples,
            "push: more samples than max_block_samples");
    require(stream->num_pushed == 0, "push: pull the last block first");
    require(std::all_of(gains, gains + kNumStems, [](float gain) { return std::isfinite(gain); }),
            "push: gains should be finite");
    const Channels in = channels_of(mixture, num_samples);
    std::copy_n(gains, kNumStems, stream->gains.begin());
    StreamBlock block;
    block.in = in.data();
    block.num_samples = num_samples;
    block.gains = stream->gains;
    const DenormalGuard guard;
    stream->stream.push(block);
    stream->num_pushed = num_samples;
  });
}

int32_t stemlane_stream_put_stems(stemlane_stream* stream, const float* stems, int32_t num_samples) {
  return guarded([&] {
    require_pointer(stream);
    if (num_samples > 0) require_pointer(stems);
    require(stream->stems->put(stems, num_samples),
            "put_stems: 0 to as many samples as were pushed and not answered are possible");
  });
}

int32_t stemlane_stream_pull(stemlane_stream* stream, float* out, int32_t num_samples) {
  return guarded([&] { pull(stream, out, num_samples, true); });
}

int32_t stemlane_stream_pull_now(stemlane_stream* stream, float* out, int32_t num_samples) {
  return guarded([&] { pull(stream, out, num_samples, false); });
}

const char* stemlane_error(void) {
  return last_error.c_str();
}

double stemlane_measure_process(double sample_rate, int32_t num_channels, int32_t block_samples,
                                int32_t num_blocks) {
  double best = std::numeric_limits<double>::infinity();
  const int32_t code = guarded([&] {
    require(block_samples >= 1 && block_samples <= kMostBlockSamples,
            "block_samples: 1 to 1048576 are possible");
    require(num_blocks >= 1, "num_blocks: at least 1");
    // Small blocks are timed in groups, which a clock's own cost does not matter to, and only once
    // all samples that go out have stems.
    const int group_blocks = std::max(1, kMeasuredSamples / block_samples);
    const int group_samples = group_blocks * block_samples;
    StreamConfig config;
    // With a latency of a group, the stems of one group are there when the next one is played.
    config.model = {"measured", "", sample_rate, group_samples, 0, 0, {0, 1, 2}, kOtherStem};
    config.sample_rate = sample_rate;
    config.num_channels = num_channels;
    config.max_block_samples = block_samples;
    StemStream stream;
    InProcessSource& source = prepare_in_process(stream, config);
    const auto channels = static_cast<std::size_t>(num_channels);
    std::vector<float> audio(static_cast<std::size_t>(block_samples) * channels, 0.25F);
    const std::vector<float> stems(3 * static_cast<std::size_t>(group_samples) * channels, 0.125F);
    const Channels in = channels_of(audio.data(), block_samples);
    std::array<float*, kMaxChannels> out = {audio.data(), audio.data() + block_samples};
    StreamBlock block;
    block.in = in.data();
    block.out = out.data();
    block.num_samples = block_samples;
    block.gains = {0.5F, 0.25F, 2.0F, 1.0F, 1.0F, 0.75F};
    const int first_group = stream.latency_samples() / group_samples + 1;
    for (int group = 0; group < first_group + std::max(1, num_blocks / group_blocks); ++group) {
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < group_blocks; ++i) stream.process(block);
      const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
      if (group >= first_group) best = std::min(best, spent.count() / group_samples);
      require(source.put(stems.data(), group_samples), "the stems do not follow the mixture");
    }
  });
  return code == 0 ? best : std::numeric_limits<double>::quiet_NaN();
}
