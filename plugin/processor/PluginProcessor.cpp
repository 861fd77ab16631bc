// SPDX-License-Identifier: GPL-3.0-or-later
// See PluginProcessor.h. Nothing here waits for the engine, except processBlock in a
// host that has announced an offline render.
#include "processor/PluginProcessor.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "editor/PluginEditor.h"
#include "processor/PluginFiles.h"
#include "stream/engine_source.h"

namespace stemlane {
namespace {

// Longest block expected at first. A larger one sizes the memory anew and starts another
// engine; pedalboard's default is this one.
constexpr int kExpectedBlockSamples = 8192;

// At others the stream cannot be prepared, and the mixture passes without a delay.
bool isPossibleRate(double sampleRate) {
  return sampleRate >= kLowestRate && sampleRate <= kHighestRate;
}

// Ardour and Mixbus evaluate automation where the audio leaves a plugin, other hosts where it
// enters: docs/HOSTS.md. Their scripts and exports run in programs of other names.
bool automatesTheOutput() {
  if (juce::PluginHostType().isArdour()) return true;
  const juce::File program(juce::PluginHostType::getHostPath());
  for (const juce::String& name : {program.getFileName(), program.getParentDirectory().getFileName()})
    if (name.containsIgnoreCase("ardour") || name.containsIgnoreCase("mixbus")) return true;
  return false;
}

std::shared_ptr<const StemOrigin> newEngine() {
  return std::make_shared<EngineOrigin>(EngineSettings{engineExecutable().getFullPathName().toStdString()});
}

}  // namespace

juce::AudioProcessor::BusesProperties StemlaneProcessor::buses() {
  const auto stereo = juce::AudioChannelSet::stereo();
  auto properties = BusesProperties().withInput("Mixture", stereo, true).withOutput("Mix", stereo, true);
  for (int stem = 0; stem < kNumStems; ++stem) properties.addBus(false, stemTitle(stem), stereo, false);
  return properties;
}

StemlaneProcessor::StemlaneProcessor()
    : AudioProcessor(buses()),
      parameters_(*this,
                  [this] {
                    const StreamStatus now = status();
                    return juce::String(stateName(now.state)) + ": " +
                           juce::String::fromUTF8(now.text.c_str());
                  }),
      edits_(parameters_.settings()),
      engine_(newEngine()) {
  const auto models = installedModels();
  modelName_ = defaultModelName(models);
  applyModel(models);
  capture_.onFile = [this](const juce::File& file) { files().add({file.getFullPathName()}); };
}

bool StemlaneProcessor::isBusesLayoutSupported(const BusesLayout& layouts) const {
  // The last call before JUCE's host code (pedalboard's too) asks for the latency.
  const_cast<StemlaneProcessor*>(this)->announceLatency();
  const auto main = layouts.getMainInputChannelSet();
  if (main != layouts.getMainOutputChannelSet()) return false;
  const auto stereo = juce::AudioChannelSet::stereo();
  if (main != stereo && main != juce::AudioChannelSet::mono()) return false;
  if (layouts.inputBuses.size() != 1) return false;
  // Stereo for mono tracks, too: a bus that is off keeps its last width, and JUCE asks for
  // all buses together. With mono stems, a track that was mono could not become stereo.
  for (int bus = 1; bus < layouts.outputBuses.size(); ++bus) {
    const auto& stem = layouts.outputBuses.getReference(bus);
    if (!stem.isDisabled() && stem != stereo) return false;
  }
  return true;
}

void StemlaneProcessor::prepareToPlay(double sampleRate, int maxBlockSamples) {
  {
    const std::lock_guard lock(mutex_);
    capture_.passGap(sampleRate != sampleRate_);
    sampleRate_ = sampleRate;
    announcedBlockSamples_ = std::max(maxBlockSamples, 0);
    applyModel(installedModels());
  }
  setLatencySamples(streamLatency());
}

// A VST3 host should ask for the latency after it has activated the plugin, and JUCE
// calls prepareToPlay from there. JUCE's own host code asks before: after the new rate
// has been set, but with the latency of the old one.
void StemlaneProcessor::announceLatency() {
  const double sampleRate = getSampleRate();
  int latency = 0;
  {
    const std::lock_guard lock(mutex_);
    if (sampleRate <= 0.0 || sampleRate == sampleRate_) return;
    if (isPossibleRate(sampleRate)) latency = latency_sum(choice_.model, sampleRate).total();
  }
  setLatencySamples(latency);
}

// With the mutex held (or in the constructor) and no block being processed.
void StemlaneProcessor::applyModel(const std::vector<ModelDescriptor>& models) {
  choice_ = chooseModel(models, modelName_);
  unsigned present = 0;
  for (int stem = 0; stem < kNumStems; ++stem)
    if (choice_.model.has_stem(stem)) present |= 1U << stem;
  presentStems_.store(present, std::memory_order_release);
  if (sampleRate_ > 0.0) prepareStream();
  residual_.store(choice_.model.residual, std::memory_order_relaxed);
  takesFocus_.store(choice_.model.takes_focus, std::memory_order_relaxed);
  facts_.publish({modelName_, choice_.problem, numChannels_.load(std::memory_order_relaxed) != 0,
                  choice_.isStandIn ? choice_.model.name : std::string()});
}

void StemlaneProcessor::prepareStream() {
  StreamConfig config;
  config.model = choice_.model;
  config.sample_rate = sampleRate_;
  config.num_channels = getMainBusNumInputChannels();
  config.max_block_samples = std::max(announcedBlockSamples_, kExpectedBlockSamples);
  config.announced_block_samples = announcedBlockSamples_;
  config.gains_at_output = automatesTheOutput();
  if (choice_.problem.empty()) config.origin = engine_;
  numChannels_.store(0, std::memory_order_release);
  try {
    stream_.prepare(config);
    numChannels_.store(config.num_channels, std::memory_order_release);
  } catch (const std::exception& error) {
    choice_.problem = error.what();
  }
}

// A stream that could not be prepared passes the mixture as it comes.
int StemlaneProcessor::streamLatency() const {
  const std::lock_guard lock(mutex_);
  return numChannels_.load(std::memory_order_acquire) != 0 ? stream_.latency_samples() : 0;
}

// Hosts call this from any thread, JUCE without the lock that it holds for a block: the stream
// may be set up anew at this moment. So the next block does it.
void StemlaneProcessor::reset() {
  beginsAnew_.store(true, std::memory_order_relaxed);
}

// A render begins without a past: what was played before it, for how long, and how much of
// that the engine caught, must not change its sound. Not every host resets in between.
void StemlaneProcessor::setNonRealtime(bool isNonRealtime) noexcept {
  if (isNonRealtime && !this->isNonRealtime()) beginsAnew_.store(true, std::memory_order_relaxed);
  AudioProcessor::setNonRealtime(isNonRealtime);
  stream_.set_offline(isNonRealtime);
}

void StemlaneProcessor::processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) {
  process(buffer, parameters_.gains(presentStems()), parameters_.focus());
}

void StemlaneProcessor::processBlockBypassed(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) {
  process(buffer, kUnityGains, kNeutralFocus);
}

void StemlaneProcessor::process(juce::AudioBuffer<float>& buffer, const StemGains& gains,
                                const StemFocus& focus) noexcept {
  const int numSamples = buffer.getNumSamples();
  const int numChannels = numChannels_.load(std::memory_order_acquire);
  const bool usable = numChannels != 0 && numChannels == getMainBusNumInputChannels() &&
                      buffer.getNumChannels() >= numChannels;

  // Main input and output share the first channels of the buffer.
  StreamBlock block;
  block.in = buffer.getArrayOfReadPointers();
  block.out = buffer.getArrayOfWritePointers();
  block.num_samples = numSamples;
  block.gains = gains;
  block.focus = focus;
  std::array<std::array<float*, kMaxChannels>, kNumStems> stems{};
  for (std::size_t stem = 0; stem < kNumStems; ++stem) {
    const int bus = 1 + static_cast<int>(stem);
    const int width = getChannelCountOfBus(false, bus);  // 0 or 2
    for (int channel = 0; channel < width; ++channel) {
      const int index = getChannelIndexInProcessBlockBuffer(false, bus, channel);
      if (index >= buffer.getNumChannels()) continue;
      stems[stem][static_cast<std::size_t>(channel)] = buffer.getWritePointer(index);
      if (!usable) buffer.clear(index, 0, numSamples);
    }
    if (stems[stem].back() != nullptr) block.stem_out[stem] = stems[stem].data();
  }
  if (!usable) return;
  capture_.process(block.in, numChannels, numSamples, hostClock(getPlayHead()), isNonRealtime());
  if (beginsAnew_.exchange(false, std::memory_order_relaxed)) stream_.reset();
  stream_.process(block);

  // A mono stem on a stereo bus sounds on both sides.
  for (const auto& planes : stems)
    if (numChannels == 1 && planes[1] != nullptr)
      juce::FloatVectorOperations::copy(planes[1], planes[0], numSamples);

  if (!isNonRealtime()) preview_.addTo(block.out, numChannels, numSamples);
  if (!meters_.load(std::memory_order_relaxed)) return;
  for (int channel = 0; channel < numChannels; ++channel) {
    std::atomic<float>& seen = outputPeaks_[static_cast<std::size_t>(channel)];
    const float peak = buffer.getMagnitude(channel, 0, numSamples);
    if (peak > seen.load(std::memory_order_relaxed)) seen.store(peak, std::memory_order_relaxed);
  }
}

double StemlaneProcessor::getTailLengthSeconds() const {
  const double sampleRate = getSampleRate();
  return sampleRate > 0.0 ? getLatencySamples() / sampleRate : 0.0;
}

void StemlaneProcessor::updateTrackProperties(const TrackProperties& properties) {
  trackName_.publish(knownName(properties.name));
}

StemSet StemlaneProcessor::presentStems() const noexcept {
  const unsigned bits = presentStems_.load(std::memory_order_relaxed);
  StemSet present{};
  for (std::size_t stem = 0; stem < present.size(); ++stem) present[stem] = ((bits >> stem) & 1U) != 0;
  return present;
}

bool StemlaneProcessor::hasStem(int stem) const noexcept {
  return presentStems()[static_cast<std::size_t>(stem)];
}

// While suspended, the host's blocks are silent: the timeline starts anew anyway. They do not come here, so a
// capture ends before the gap.
void StemlaneProcessor::changeModel(const std::function<void()>& change) {
  suspendProcessing(true);
  capture_.passGap(false);
  {
    const std::lock_guard lock(mutex_);
    change();
    applyModel(installedModels());
  }
  suspendProcessing(false);
  setLatencySamples(streamLatency());
}

void StemlaneProcessor::setModel(const std::string& name) {
  if (name == modelName()) return;
  changeModel([&] { modelName_ = name; });
  updateHostDisplay(ChangeDetails().withNonParameterStateChanged(true));
}

void StemlaneProcessor::restartEngine() {
  changeModel([&] { engine_ = newEngine(); });
}

StreamStatus StemlaneProcessor::status() const {
  const auto facts = facts_.read();
  if (!facts->problem.empty()) {
    const std::string incomplete = std::string(contract::kIncompleteRender) + ": ";
    return {EngineState::failed, (stream_.is_offline() ? incomplete : "") + facts->problem, 0};
  }
  if (!facts->prepared)
    return {EngineState::starting,
            wrapperType == wrapperType_Standalone ? "no audio device yet (Menu, Settings); files need none"
                                                  : "waiting for the host to start its audio",
            0};
  return stream_.status();
}

void StemlaneProcessor::getStateInformation(juce::MemoryBlock& target) {
  SavedState state;
  {
    const std::lock_guard lock(mutex_);
    state.model = modelName_;
    if (unknownState_ != nullptr) state.unknown = std::make_unique<juce::XmlElement>(*unknownState_);
  }
  state.editorSize = editorSize();
  writeState(target, state, getParameters());
}

void StemlaneProcessor::setStateInformation(const void* data, int size) {
  auto state = readState(data, size, getParameters());
  if (!state) return;
  {
    const std::lock_guard lock(mutex_);
    unknownState_ = std::move(state->unknown);
  }
  // A preset of a script has none; the window stays as it is.
  if (state->editorSize) setEditorSize(*state->editorSize);
  setModel(state->model.isNotEmpty() ? state->model.toStdString() : defaultModelName(installedModels()));
}

juce::AudioProcessorEditor* StemlaneProcessor::createEditor() {
  return new StemlaneEditor(*this);
}

}  // namespace stemlane

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() {
  return new stemlane::StemlaneProcessor();
}
