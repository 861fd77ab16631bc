/* SPDX-License-Identifier: MIT */
/* Flat C face of StemStream for cffi: the caller serves the engine's end itself, in the
   same process and thread, between `push` and `pull`. Declarations between the two
   cffi marks are read by pyengine/stemlane/mix/_core.py. Functions that return int give 0,
   or a negative code whose text stemlane_error() holds; none of them throws. */
#ifndef STEMLANE_CORE_API_H
#define STEMLANE_CORE_API_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cffi begin */
typedef struct stemlane_stream stemlane_stream;

typedef struct {
  double model_rate;      /* Hz */
  int32_t stride_samples; /* at the model's rate, as the next two */
  int32_t delay_samples;
  int32_t compute_allowance_samples;
  int32_t num_stems; /* separated stems, 1 to 5 */
  int32_t stems[5];  /* their numbers: vocals 0, drums 1, bass 2, guitar 3, piano 4, other 5 */
  int32_t residual;  /* number of the residual stem */
} stemlane_model;

/* Makes a stream, or returns NULL (see stemlane_error). sample_rate in Hz, between the two
   above, 1 or 2 channels, blocks of at most max_block_samples, 1048576 at most. */
stemlane_stream* stemlane_stream_new(const stemlane_model* model, double sample_rate, int32_t num_channels,
                                     int32_t max_block_samples);
void stemlane_stream_free(stemlane_stream* stream);

/* Length of the transform at sample_rate (Hz) that stands for fft_samples at model_rate. */
int32_t stemlane_frame_samples(int32_t fft_samples, double model_rate, double sample_rate);

/* Delay from input to output, samples at the host's rate. */
int32_t stemlane_stream_latency(const stemlane_stream* stream);

/* Starts a new timeline; what was pushed and not pulled is forgotten. */
int32_t stemlane_stream_reset(stemlane_stream* stream);

/* Takes one block of the mixture, planar (channels, num_samples), and the linear gains
   (6, by stem number) that belong to it. Follow with `put_stems` and one `pull`. */
int32_t stemlane_stream_push(stemlane_stream* stream, const float* mixture, int32_t num_samples,
                             const float* gains);

/* Appends separated stems, planar (stems, channels, num_samples), from the position on
   at which the last ones ended: at most as many as were pushed and not answered. */
int32_t stemlane_stream_put_stems(stemlane_stream* stream, const float* stems, int32_t num_samples);

/* Delivers as many samples as `push` took, planar (channels, num_samples). Fails, and can be
   called again, if stems are missing although their gains make them audible. */
int32_t stemlane_stream_pull(stemlane_stream* stream, float* out, int32_t num_samples);

/* The same as in real time: where stems are missing, the mixture fills in. */
int32_t stemlane_stream_pull_now(stemlane_stream* stream, float* out, int32_t num_samples);

/* Text of the last failure on this thread. */
const char* stemlane_error(void);

/* Nanoseconds per sample that the audio thread spends in `process`, with stems present
   and all gains different: the minimum over num_blocks blocks. */
double stemlane_measure_process(double sample_rate, int32_t num_channels, int32_t block_samples,
                                int32_t num_blocks);
/* cffi end */

#ifdef __cplusplus
}
#endif

#endif
