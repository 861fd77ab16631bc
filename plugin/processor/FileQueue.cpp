// SPDX-License-Identifier: GPL-3.0-or-later
// See FileQueue.h.
#include "processor/FileQueue.h"

#include <algorithm>

#include "host/user_folders.h"
#include "platform/text_path.h"
#include "processor/ModelChoice.h"
#include "processor/PluginFiles.h"

namespace stemlane {
namespace {

constexpr std::size_t kMostItems = 1000;
constexpr int kMostColumns = 1000;
constexpr const char* kSettingsTag = "STEMLANE_FILES";
constexpr juce::int64 kMostSettingsBytes = 1 << 13;

bool isOver(const FileQueue::Item& item) {
  return item.state == FileQueue::State::done || item.state == FileQueue::State::failed;
}

/// What the command line calls the folder of a recording.
juce::String usualName(const juce::File& file) {
  return file.isDirectory() ? file.getFileName() : file.getFileNameWithoutExtension();
}

/// The command line's template for the stems of an item, whose target is known. Each recording of a folder
/// has a folder of its own below that. A stem file is called after its recording: DJ programs show the name.
juce::String templateOf(const FileQueue::Item& item, const juce::String& format) {
  const juce::String number = item.target.getFileName().substring(usualName(item.file).length());
  const juce::String file = format == FileQueue::kStemFile ? "/{track}.{ext}" : "/{stem}.{ext}";
  if (!item.file.isDirectory()) return "{track}" + number + file;
  return item.file.getFileName().replace("{", "{{").replace("}", "}}") + number + "/{track}" + file;
}

/// What the command says of a stem's course; anything else becomes none.
std::vector<int> waveformOf(const juce::var& columns) {
  std::vector<int> waveform;
  if (const auto* values = columns.getArray(); values != nullptr && values->size() <= kMostColumns)
    for (const juce::var& value : *values) waveform.push_back(juce::jlimit(0, 100, static_cast<int>(value)));
  return waveform;
}

juce::File settingsFile() {
  const std::string folder = text_of(user_folder(contract::kUserConfig));
  return folder.empty() ? juce::File()
                        : juce::File(juce::String::fromUTF8(folder.c_str())).getChildFile("files.xml");
}

// As they were last left; what is none of a file's is as usual.
FileQueue::Settings rememberedSettings() {
  FileQueue::Settings settings;
  settings.folder = FileQueue::usualFolder();
  const juce::File file = settingsFile();
  if (!file.existsAsFile() || file.getSize() > kMostSettingsBytes) return settings;
  const auto xml = juce::parseXMLIfTagMatches(file, kSettingsTag);
  if (xml == nullptr) return settings;
  const juce::String format = xml->getStringAttribute("format");
  const auto last =
      hasOwnPython() ? FileQueue::kFormats.begin() + FileQueue::kNumWithoutFfmpeg : FileQueue::kFormats.end();
  // Not std::find: JUCE 8 has no single way to compare a text with such a name the other way round.
  if (std::any_of(FileQueue::kFormats.begin(), last, [&](const char* known) { return format == known; }))
    settings.format = format;
  const auto models = installedModels();
  const std::string model = xml->getStringAttribute("model").toStdString();
  if (find_model(models, model) != nullptr) settings.model = model;
  const juce::String folder = xml->getStringAttribute("folder");
  if (juce::File::isAbsolutePath(folder)) settings.folder = juce::File(folder);
  const int threads = xml->getIntAttribute("threads");
  if (threads > 0 && threads <= juce::SystemStats::getNumCpus()) settings.threads = threads;
  return settings;
}

}  // namespace

FileQueue::FileQueue(const std::string& engine) : job_(engine) {
  settings_ = rememberedSettings();
  job_.onLine = [this](const juce::var& line) { takeLine(line); };
  job_.onEnd = [this](const juce::String& problem) { finish(problem); };
}

juce::File FileQueue::usualFolder() {
  return juce::File::getSpecialLocation(juce::File::userMusicDirectory).getChildFile("Stemlane");
}

void FileQueue::rememberSettings() const {
  juce::XmlElement xml(kSettingsTag);
  if (!settings_.model.empty()) xml.setAttribute("model", juce::String(settings_.model));
  xml.setAttribute("format", settings_.format);
  xml.setAttribute("folder", settings_.folder.getFullPathName());
  if (settings_.threads > 0) xml.setAttribute("threads", settings_.threads);
  const juce::File file = settingsFile();
  // Where nothing can be kept, the next instance begins with the usual.
  if (file != juce::File() && file.getParentDirectory().createDirectory().wasOk()) xml.writeTo(file);
}

void FileQueue::setPaused(bool paused) {
  isPaused_ = paused;
  if (!isRunning()) startNext();
  sendChangeMessage();
}

void FileQueue::add(const juce::StringArray& paths) {
  for (const juce::String& path : paths) {
    const juce::File file(path);
    const bool isThere = std::any_of(items_.begin(), items_.end(),
                                     [&](const Item& item) { return item.file == file && !isOver(item); });
    if (isThere || items_.size() >= kMostItems) continue;
    items_.emplace_back();
    items_.back().file = file;
  }
  if (!isRunning()) startNext();
  sendChangeMessage();
}

FileQueue::Item* FileQueue::running() {
  const auto found = std::find_if(items_.begin(), items_.end(),
                                  [](const Item& item) { return item.state == State::running; });
  return found == items_.end() ? nullptr : &*found;
}

void FileQueue::startNext() {
  if (isPaused_) return;
  const auto next = std::find_if(items_.begin(), items_.end(),
                                 [](const Item& item) { return item.state == State::waiting; });
  if (next == items_.end()) return;
  next->state = State::running;
  next->model = nextModel();
  next->target = targetOf(*next);
  std::vector<std::string> arguments = {"separate", next->file.getFullPathName().toStdString(),
                                        "-o",       settings_.folder.getFullPathName().toStdString(),
                                        "--name",   templateOf(*next, settings_.format).toStdString(),
                                        "--model",  next->model,
                                        "--format", settings_.format.toStdString(),
                                        "--json",   "--progress"};
  if (settings_.threads > 0) {
    arguments.emplace_back("--threads");
    arguments.push_back(std::to_string(settings_.threads));
  }
  job_.start(arguments);
}

std::string FileQueue::nextModel() const {
  return settings_.model.empty() ? bestModelName(installedModels()) : settings_.model;
}

// A recording that comes again gets the same folder for the same model. Whatever else is there stays: it may
// be of a recording of the same name.
juce::File FileQueue::targetOf(const Item& item) const {
  for (const Item& other : items_)
    if (other.state == State::done && other.file == item.file && other.model == item.model &&
        other.target.getParentDirectory() == settings_.folder)
      return other.target;
  const juce::String name = usualName(item.file);
  juce::File target = settings_.folder.getChildFile(name);
  for (int number = 2; target.exists(); ++number)
    target = settings_.folder.getChildFile(name + " (" + juce::String(number) + ")");
  return target;
}

void FileQueue::takeLine(const juce::var& line) {
  Item* const item = running();
  if (item == nullptr) return;
  if (line.hasProperty("stage")) item->share = juce::jlimit(0.0, 1.0, static_cast<double>(line["done"]));
  if (auto* outputs = line["outputs"].getDynamicObject())
    for (const auto& output : outputs->getProperties())
      item->stems.push_back({output.name.toString(), juce::File(output.value.toString()),
                             waveformOf(line["waveforms"][output.name])});
  if (const auto* warnings = line["warnings"].getArray(); warnings != nullptr && !warnings->isEmpty())
    item->problem = warnings->getFirst().toString();
  sendChangeMessage();
}

void FileQueue::finish(const juce::String& problem) {
  if (Item* const item = running()) {
    item->state = problem.isEmpty() ? State::done : State::failed;
    if (problem.isNotEmpty()) item->problem = problem;
  }
  startNext();
  sendChangeMessage();
}

bool FileQueue::hasStem(const juce::String& path) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    return std::any_of(item.stems.begin(), item.stems.end(),
                       [&](const Stem& stem) { return stem.file.getFullPathName() == path; });
  });
}

void FileQueue::remove(int index) {
  if (index < 0 || index >= static_cast<int>(items_.size())) return;
  const auto item = items_.begin() + index;
  // One that runs stays in sight until it has cleaned up.
  if (item->state == State::running)
    job_.cancel();
  else
    items_.erase(item);
  sendChangeMessage();
}

void FileQueue::clearDone() {
  items_.erase(std::remove_if(items_.begin(), items_.end(), isOver), items_.end());
  sendChangeMessage();
}

}  // namespace stemlane
