// SPDX-License-Identifier: MIT
// The engine: starts CPython unless it runs inside one, loads `stemlane.engine.worker` and moves
// audio between it and the shared memory. The only file that knows pybind11; no Python object or
// exception leaves it. Finding a Python is launcher.cpp's job.
#include <pybind11/embed.h>
#include <pybind11/numpy.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/latency.h"
#include "core/strides.h"
#include "engine/engine_entry.h"
#include "host/out_of_memory.h"
#include "link/engine_link.h"
#include "link/host_link.h"
#include "link/poll.h"
#include "platform/process.h"

namespace py = pybind11;

namespace stemlane {
namespace {

constexpr std::int64_t kOfflineWaitNanoseconds = 20'000'000;
// Idle is an engine that nothing has come to for so long.
constexpr auto kIdleAfter = std::chrono::seconds(2);
constexpr auto kHostCheckEvery = std::chrono::milliseconds(20);

std::string one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

/// What Python says, with the type of the error where the text alone says too little.
std::string text_of(const py::error_already_set& error) {
  // A path may hold bytes that no encoding knows.
  const std::string text =
      one_line(py::cast<std::string>(py::str(error.value()).attr("encode")("utf-8", "replace")));
  if (error.type().attr("__module__").cast<std::string>() == "stemlane.errors") return text;
  const auto type = error.type().attr("__name__").cast<std::string>();
  return text.empty() ? type : type + ": " + text;
}

/// True if no engine can do what was asked for, whatever is fixed on the machine.
bool refuses_input(const py::error_already_set& error) {
  return error.type().attr("__module__").cast<std::string>() == "stemlane.errors" &&
         error.type().attr("__name__").cast<std::string>() == "InputError";
}

// What stemlane_engine() is given.
struct Home {
  const char* executable;
  std::string packages;
  std::string found_by;
};

void initialize_python(const Home& home) {
  // An isolated Python stays in the C locale, where it takes names of files for ASCII.
  PyPreConfig preconfig;
  PyPreConfig_InitIsolatedConfig(&preconfig);
  preconfig.utf8_mode = 1;
  Py_PreInitialize(&preconfig);
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.install_signal_handlers = 0;
  config.site_import = 1;
  config.user_site_directory = 0;
  // The executable's place is where CPython looks for pyvenv.cfg and its library.
  PyConfig_SetBytesString(&config, &config.program_name, home.executable);
  PyConfig_SetBytesString(&config, &config.executable, home.executable);
  const PyStatus status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status) != 0)
    throw std::runtime_error("Python from " + home.found_by + " does not start: " +
                             (status.err_msg != nullptr ? status.err_msg : "unknown reason") +
                             "; run 'stemlane plugin install' again");
}

/// Starts Python if none runs and returns the module `stemlane.engine.worker`.
py::module_ start_python(const Home& home) {
  if (home.executable != nullptr) initialize_python(home);
  if (!home.packages.empty()) py::module_::import("sys").attr("path").attr("insert")(0, home.packages);
  try {
    return py::module_::import("stemlane.engine.worker");
  } catch (const py::error_already_set& problem) {
    const std::string text = text_of(problem);
    if (!problem.matches(PyExc_ImportError) || is_out_of_memory(text)) throw;
    throw std::runtime_error("Python from " + home.found_by + " cannot load Stemlane (" + text +
                             "); run 'stemlane plugin install' again");
  }
}

// The Python separator of one stream.
class Worker {
 public:
  Worker(const py::module_& module, const ConfigureMessage& configuration, int num_channels)
      : num_channels_(num_channels),
        stride_samples_(configuration.stride_samples),
        allowance_samples_(configuration.compute_allowance_samples),
        worker_(module.attr("Worker")(std::string(configuration.model), configuration.sample_rate,
                                      num_channels,
                                      strides_at_once(allowance_samples_, stride_samples_, 0))) {
    const auto number = [&](const char* name) { return worker_.attr(name).cast<int>(); };
    std::string stems;
    for (const auto& stem : worker_.attr("stems")) {
      if (!stems.empty()) stems += ',';
      stems += kStemNames.at(static_cast<std::size_t>(std::max(0, stem_number(stem.cast<std::string>()))));
    }
    if (number("stride_samples") != configuration.stride_samples ||
        number("delay_samples") != configuration.delay_samples ||
        number("compute_allowance_samples") != configuration.compute_allowance_samples ||
        stems != configuration.stems)
      throw std::runtime_error(
          std::string("model '") + configuration.model +
          "' has changed since the plugin was installed; run 'stemlane plugin install' again");
    model_rate_ = worker_.attr("model_rate").cast<double>();
    focus_ =
        py::array_t<float>(static_cast<py::ssize_t>(worker_.attr("stems").cast<py::sequence>().size()) + 1);
    resampled_ = configuration.sample_rate != model_rate_;
    num_strides_ = resampled_ ? 1 : worker_.attr("strides_at_once").cast<int>();
    max_samples_ =
        num_strides_ * static_cast<std::int64_t>(
                           std::ceil(configuration.stride_samples * configuration.sample_rate / model_rate_));
    feed_samples_ = resampled_ ? kFeedSamples : stride_samples_;
  }

  void reset() { worker_.attr("reset")(); }

  /// Runs the separator on the mixture of `end` and hands its stems back; false if there
  /// are none yet.
  bool process(EngineEnd& end, int num_stems) {
    constexpr auto kSampleBytes = static_cast<py::ssize_t>(sizeof(float));
    const py::array_t<float> mixture(
        {static_cast<py::ssize_t>(num_channels_), static_cast<py::ssize_t>(end.num_samples())},
        {static_cast<py::ssize_t>(end.mixture_stride()) * kSampleBytes, kSampleBytes}, end.mixture(),
        py::capsule(end.mixture(), [](void*) {}));
    for (int plane = 0; plane <= num_stems; ++plane) focus_.mutable_at(plane) = end.focus(plane);
    const auto stems =
        worker_.attr("process")(mixture, focus_).cast<py::array_t<float, py::array::c_style>>();
    end.consume();
    if (stems.ndim() != 3 || stems.shape(0) != num_stems || stems.shape(1) != num_channels_)
      throw std::runtime_error("the separator returned stems of a wrong shape");
    if (stems.shape(2) == 0) return false;
    if (!end.write_stems(stems.data(), stems.shape(2)))
      throw std::runtime_error("the separator returned more stems than it was given mixture");
    return true;
  }

  /// What `end` has next. Several strides come together where the host's blocks leave the time.
  EngineEnd::Work next(EngineEnd& end) const noexcept {
    const std::int64_t block = end.block_samples();
    const std::int64_t together =
        block > 0 ? std::min(num_strides_, strides_at_once(allowance_samples_, stride_samples_, block)) : 1;
    return end.next(feed_samples_, max_samples_, resampled_ ? 0 : together * stride_samples_);
  }

  /// Notes the step that ends now.
  void note_step(EngineEnd& end, std::int64_t microseconds) const noexcept {
    const std::int64_t taken = resampled_ ? max_samples_ : end.step_samples();
    end.note_step(
        microseconds, taken,
        resampled_ ? taken : step_deadline(taken, end.step_backlog(), stride_samples_, allowance_samples_));
  }

  double model_rate() const noexcept { return model_rate_; }
  std::string says() const { return worker_.attr("says").cast<std::string>(); }

 private:
  int num_channels_;
  std::int64_t stride_samples_;  ///< at the model's rate, as the allowance
  std::int64_t allowance_samples_;
  py::object worker_;
  py::array_t<float> focus_;  ///< of each separated stem, then the residual one
  double model_rate_ = 0.0;
  bool resampled_ = false;
  std::int64_t num_strides_ = 1;  ///< that it takes at once
  std::int64_t feed_samples_ = 1;
  std::int64_t max_samples_ = 1;
};

// Serves until the host closes its end of the channel.
void serve(Worker& worker, SharedAudio& memory, const HostLink& host, const Poll& poll) {
  using Clock = std::chrono::steady_clock;
  const DenormalGuard guard;  // decaying network states are slow as denormals
  EngineEnd end(memory);
  auto last_work = Clock::now();
  auto last_check = last_work;
  std::int64_t missing = 0;
  for (;;) {
    const auto now = Clock::now();
    if (now - last_check > kHostCheckEvery) {
      if (host.host_has_left()) return;
      last_check = now;
    }
    switch (worker.next(end)) {
      case EngineEnd::Work::restart:
        worker.reset();
        last_work = now;
        break;
      case EngineEnd::Work::mixture:
        if (worker.process(end, memory.num_stems()))
          worker.note_step(end,
                           std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - now).count());
        last_work = now;
        break;
      case EngineEnd::Work::none:
        if (std::exchange(missing, end.num_missing()) != end.num_missing())
          last_work = now;  // music has come
        end.wait_for_mixture(end.offline()                                  ? kOfflineWaitNanoseconds
                             : end.asleep() || now - last_work > kIdleAfter ? poll.idle()
                                                                            : poll.awake(end.num_missing()));
        break;
    }
  }
}

void check_version(const Home& home) {
  // Objects of another version would be misread.
  if (!std::string_view(Py_GetVersion()).starts_with(STEMLANE_PYTHON_VERSION "."))
    throw std::runtime_error("Python from " + home.found_by + " is " + one_line(Py_GetVersion()) +
                             ", but this engine is for " STEMLANE_PYTHON_VERSION
                             "; run 'stemlane plugin install' again");
}

void serve_host(const Home& home, HostLink& host) {
  if (home.executable == nullptr) {  // Python was executed: what the launcher began is gone
    bind_to_parent();
    name_process("stemlane-engine");
  }
  check_version(home);
  std::string error;
  const auto memory = HostLink::open_memory(error);
  if (memory == nullptr) throw std::runtime_error(error);
  ConfigureMessage configuration;
  if (!host.receive_configuration(configuration))
    throw std::runtime_error("plugin and engine are of different versions; install Stemlane again");
  Worker worker(start_python(home), configuration, memory->num_channels());
  return_free_memory();  // loading has left much, and there are many engines
  host.send_status(EngineState::ready, worker.says());
  serve(worker, *memory, host,
        Poll(configuration.sample_rate, configuration.compute_allowance_samples / worker.model_rate()));
}

void check_models(const Home& home) {
  check_version(home);
  start_python(home);
  const auto said = py::module_::import("stemlane.engine.check").attr("run")().cast<std::string>();
  std::printf("%s\n", said.c_str());
  std::fflush(stdout);  // the process ends by _exit
}

/// Runs `work` and hands the reason and the remedy to `report` if it fails; returns the exit status.
template <typename Work, typename Report>
int run_and_report(const Work& work, const Report& report) {
  try {
    std::string said;
    bool is_final = false;
    try {
      work();
      return 0;
    } catch (const py::error_already_set& error) {
      said = text_of(error);
      is_final = refuses_input(error);
    } catch (const std::exception& error) {
      said = one_line(error.what());
    }
    report(is_out_of_memory(said) ? out_of_memory_text(said) : said, is_final);
  } catch (...) {  // not even enough memory to say what it was
    report("there is not enough memory for the engine: close other programs", false);
  }
  return 1;
}

}  // namespace
}  // namespace stemlane

#define STEMLANE_ENTRY extern "C" PYBIND11_EXPORT int

STEMLANE_ENTRY stemlane_engine(const char* executable, const char* packages, const char* found_by) {
  stemlane::HostLink host;
  return stemlane::run_and_report(
      [&] {
        stemlane::serve_host({executable, packages, found_by}, host);
      },
      [&](std::string_view text, bool is_final) {
        host.send_status(stemlane::EngineState::failed, text, is_final);
      });
}

STEMLANE_ENTRY stemlane_engine_check(const char* executable, const char* packages, const char* found_by) {
  return stemlane::run_and_report(
      [&] {
        stemlane::check_models({executable, packages, found_by});
      },
      [](std::string_view text, bool) {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
      });
}
