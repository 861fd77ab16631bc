// SPDX-License-Identifier: GPL-3.0-or-later
// The application: a window around the plugin's editor that opens with the page of files. Files need no audio
// device; of a sound card only the output is used until someone chooses an input.
#include <juce_audio_utils/juce_audio_utils.h>

#include <memory>

#include "editor/PluginEditor.h"
#include "host/user_folders.h"
#include "platform/text_path.h"
#include "processor/PluginProcessor.h"

namespace stemlane {
namespace {

constexpr int kNumChannels = 2;
constexpr int kSaveAfterMilliseconds = 1000;
constexpr const char* kAudio = "audio";
constexpr const char* kWindow = "window";
constexpr const char* kState = "state";
constexpr const char* kVersion = "version";  ///< that has written them

juce::File settingsFile() {
  const std::string folder = text_of(user_folder(contract::kUserConfig));
  return folder.empty() ? juce::File()
                        : juce::File(juce::String::fromUTF8(folder.c_str())).getChildFile("application.xml");
}

juce::PropertiesFile::Options settingsOptions() {
  juce::PropertiesFile::Options options;
  options.millisecondsBeforeSaving = kSaveAfterMilliseconds;
  return options;
}

/// The sound card, and what plays the processor through it.
class AudioDevice {
 public:
  AudioDevice(StemlaneProcessor& processor, juce::PropertiesFile& settings) : settings_(settings) {
    const auto saved = settings.getXmlValue(kAudio);
    // No microphone before someone has chosen it: it would be heard in the loudspeakers at once.
    const bool wantsInput =
        saved != nullptr && saved->getStringAttribute("audioInputDeviceName").isNotEmpty();
    // Without a device, the files' page works all the same.
    devices_.initialise(wantsInput ? kNumChannels : 0, kNumChannels, saved.get(), true);
    player_.setProcessor(&processor);
    devices_.addAudioCallback(&player_);
  }
  ~AudioDevice() {
    devices_.removeAudioCallback(&player_);
    player_.setProcessor(nullptr);
  }
  AudioDevice(const AudioDevice&) = delete;
  AudioDevice& operator=(const AudioDevice&) = delete;

  juce::String said() const {
    auto* device = devices_.getCurrentAudioDevice();
    if (device == nullptr) return "none: files can be separated, not played";
    return device->getName() + ", " + juce::String(device->getCurrentSampleRate() / 1000.0) + " kHz" +
           (device->getActiveInputChannels().isZero() ? ", output only" : ", input and output");
  }
  void choose() {
    auto selector = std::make_unique<juce::AudioDeviceSelectorComponent>(
        devices_, 0, kNumChannels, 0, kNumChannels, false, false, true, false);
    selector->setSize(500, 360);
    juce::DialogWindow::LaunchOptions options;
    options.content.setOwned(selector.release());
    options.dialogTitle = "Audio device";
    options.useNativeTitleBar = true;
    options.resizable = false;
    options.launchAsync();
  }
  void save() {
    const auto xml = devices_.createStateXml();
    if (xml != nullptr) settings_.setValue(kAudio, xml.get());
  }

 private:
  juce::PropertiesFile& settings_;
  juce::AudioDeviceManager devices_;
  juce::AudioProcessorPlayer player_;
};

/// Remembers where it was.
class Window final : public juce::DocumentWindow {
 public:
  Window(StemlaneProcessor& processor, juce::PropertiesFile& settings)
      : DocumentWindow("Stemlane", colours::background, minimiseButton | maximiseButton | closeButton),
        settings_(settings) {
    auto editor = std::make_unique<StemlaneEditor>(processor);
    editor->showFiles();
    setUsingNativeTitleBar(true);
    setResizable(true, false);
    setConstrainer(editor->getConstrainer());
    setContentOwned(editor.release(), true);
    centreWithSize(getWidth(), getHeight());
    restoreWindowStateFromString(settings.getValue(kWindow));
    isPlaced_ = true;
    setVisible(true);
    remember();
  }
  ~Window() override { clearContentComponent(); }
  void closeButtonPressed() override { juce::JUCEApplicationBase::getInstance()->systemRequestedQuit(); }
  void moved() override {
    DocumentWindow::moved();
    remember();
  }
  void resized() override {
    DocumentWindow::resized();
    remember();
  }

 private:
  void remember() {
    if (isPlaced_) settings_.setValue(kWindow, getWindowStateAsString());
  }

  juce::PropertiesFile& settings_;
  bool isPlaced_ = false;
};

class StandaloneApp final : public juce::JUCEApplication {
 public:
  const juce::String getApplicationName() override { return JucePlugin_Name; }
  const juce::String getApplicationVersion() override { return JucePlugin_VersionString; }
  bool moreThanOneInstanceAllowed() override { return true; }

  void initialise(const juce::String&) override {
    settings_ = std::make_unique<juce::PropertiesFile>(settingsFile(), settingsOptions());
    juce::AudioProcessor::setTypeOfNextNewPlugin(juce::AudioProcessor::wrapperType_Standalone);
    processor_ = std::make_unique<StemlaneProcessor>();
    juce::AudioProcessor::setTypeOfNextNewPlugin(juce::AudioProcessor::wrapperType_Undefined);
    juce::MemoryBlock state;
    if (state.fromBase64Encoding(settings_->getValue(kState)))
      processor_->setStateInformation(state.getData(), static_cast<int>(state.getSize()));
    audio_ = std::make_unique<AudioDevice>(*processor_, *settings_);
    processor_->setAudioDevice({[this] { return audio_->said(); }, [this] { audio_->choose(); }});
    window_ = std::make_unique<Window>(*processor_, *settings_);
    settings_->setValue(kVersion, JucePlugin_VersionString);
    addFiles(getCommandLineParameterArray());
  }
  void systemRequestedQuit() override { quit(); }
  void shutdown() override {
    window_.reset();
    if (processor_ != nullptr) {
      juce::MemoryBlock state;
      processor_->getStateInformation(state);
      settings_->setValue(kState, state.toBase64Encoding());
      audio_->save();
      settings_->saveIfNeeded();
    }
    audio_.reset();
    processor_.reset();
  }

 private:
  // Files of a command line, as from a file manager's "Open with".
  void addFiles(const juce::StringArray& arguments) {
    juce::StringArray paths;
    for (const juce::String& argument : arguments) {
      const juce::File file = juce::File::getCurrentWorkingDirectory().getChildFile(argument.unquoted());
      if (file.exists()) paths.add(file.getFullPathName());
    }
    if (auto* editor = dynamic_cast<StemlaneEditor*>(window_->getContentComponent()); !paths.isEmpty())
      editor->filesDropped(paths, 0, 0);
  }

  std::unique_ptr<juce::PropertiesFile> settings_;
  std::unique_ptr<StemlaneProcessor> processor_;
  std::unique_ptr<AudioDevice> audio_;
  std::unique_ptr<Window> window_;
};

}  // namespace
}  // namespace stemlane

JUCE_CREATE_APPLICATION_DEFINE(stemlane::StandaloneApp)
