// SPDX-License-Identifier: GPL-3.0-or-later
// See FilesPage.h.
#include "editor/FilesPage.h"

#include <algorithm>

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kGap = 6;
constexpr int kFramesPerSecond = 20;

juce::String shownFormat(const juce::String& format) {
  return format == FileQueue::kStemFile ? juce::String("Stem file") : format.toUpperCase();
}

}  // namespace

FilesPage::FilesPage(StemlaneProcessor& processor)
    : ListPage("Files"), processor_(processor), queue_(processor.files()), capture_(processor) {
  model_.setTitle("Model for files");
  model_.setTooltip("What separates the files that come next");
  format_.setTitle("Format");
  format_.setTooltip(
      "Format of the stems: WAV is 32-bit float; a stem file holds all of them, for DJ programs");
  for (const char* format : FileQueue::kFormats) {
    const int item = format_.getNumItems() + 1;
    format_.addItem(shownFormat(format), item);
    format_.setItemEnabled(item, !ownPython_ || item <= FileQueue::kNumWithoutFfmpeg);
  }
  format_.setText(shownFormat(queue_.settings().format), juce::dontSendNotification);
  format_.onChange = [this] {
    const auto chosen = static_cast<std::size_t>(std::max(0, format_.getSelectedItemIndex()));
    queue_.settings().format = FileQueue::kFormats.at(chosen);
    queue_.rememberSettings();
  };
  listModels();
  add_.setTitle("Add files");
  add_.setTooltip(ownPython_ ? "WAV, FLAC, Ogg, MP3, AIFF and CAF; the Python package reads other files, too"
                             : "Audio files of any kind, and the sound of videos");
  add_.onClick = [this] { chooseFiles(); };
  folder_.setTitle("Folder for stems");
  folder_.onClick = [this] { showFolderMenu(); };
  clear_.setTitle("Clear list");
  clear_.setTooltip("Takes what is done off the list; the files stay");
  clear_.onClick = [this] { queue_.clearDone(); };
  capture_.setTitle("Capture to this list");
  pause_.onClick = [this] { queue_.setPaused(!queue_.isPaused()); };
  for (juce::Component* part :
       {static_cast<juce::Component*>(&model_), static_cast<juce::Component*>(&format_),
        static_cast<juce::Component*>(&add_), static_cast<juce::Component*>(&folder_),
        static_cast<juce::Component*>(&pause_), static_cast<juce::Component*>(&capture_),
        static_cast<juce::Component*>(&clear_)})
    addAndMakeVisible(part);
  queue_.addChangeListener(this);
  refresh();
  startTimerHz(kFramesPerSecond);
}

void FilesPage::drop(const juce::StringArray& paths) {
  queue_.add(paths);
}

FilesPage::~FilesPage() {
  queue_.removeChangeListener(this);
  processor_.preview().stop();  // nobody could
}

void FilesPage::timerCallback() {
  processor_.preview().poll();
  capture_.refresh();
  for (auto& row : rows_) row->showPlayed();
  if (footerText() != getDescription()) refresh();
}

void FilesPage::listModels() {
  for (const ModelDescriptor& model : installedModels()) {
    modelNames_.push_back(model.name);
    model_.addItem(juce::String::fromUTF8(model.title.c_str()), model_.getNumItems() + 1);
  }
  const auto found = std::find(modelNames_.begin(), modelNames_.end(), queue_.nextModel());
  if (found != modelNames_.end())
    model_.setSelectedItemIndex(static_cast<int>(found - modelNames_.begin()), juce::dontSendNotification);
  model_.onChange = [this] {
    const int item = model_.getSelectedItemIndex();
    if (item < 0) return;
    queue_.settings().model = modelNames_[static_cast<std::size_t>(item)];
    queue_.rememberSettings();
  };
}

void FilesPage::chooseFiles() {
  chooser_ = std::make_unique<juce::FileChooser>("Recordings to separate");
  constexpr int kFlags = juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles |
                         juce::FileBrowserComponent::canSelectMultipleItems;
  chooser_->launchAsync(kFlags, [this](const juce::FileChooser& chosen) {
    juce::StringArray paths;
    for (const juce::File& file : chosen.getResults()) paths.add(file.getFullPathName());
    if (!paths.isEmpty()) queue_.add(paths);
  });
}

void FilesPage::chooseFolder() {
  chooser_ = std::make_unique<juce::FileChooser>("Folder for the stems", queue_.settings().folder);
  chooser_->launchAsync(
      juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectDirectories,
      [this](const juce::FileChooser& chosen) {
        if (chosen.getResult() == juce::File()) return;
        queue_.settings().folder = chosen.getResult();
        queue_.rememberSettings();
        refresh();
      });
}

void FilesPage::showFolderMenu() {
  juce::PopupMenu menu;
  menu.addItem("Open", [this] {
    queue_.settings().folder.createDirectory();
    queue_.settings().folder.startAsProcess();
  });
  menu.addItem(juce::String::fromUTF8("Choose another\u2026"), [this] { chooseFolder(); });
  menu.showMenuAsync(
      juce::PopupMenu::Options().withTargetComponent(folder_).withParentComponent(getParentComponent()));
}

void FilesPage::refresh() {
  folder_.setTooltip("Stems go to " + queue_.settings().folder.getFullPathName());
  const auto& items = queue_.items();
  while (rows_.size() > items.size()) rows_.pop_back();
  while (rows_.size() < items.size()) {
    rows_.push_back(std::make_unique<FileRow>(processor_, static_cast<int>(rows_.size())));
    content_.addAndMakeVisible(*rows_.back());
  }
  for (std::size_t i = 0; i < items.size(); ++i) rows_[i]->show(items[i]);
  stopOrphan();
  showPaused();
  const juce::String& problem = processor_.capture().problem();
  say(footerText(), problem.startsWith("nothing") ? colours::bad
                    : problem.isNotEmpty()        ? colours::text
                                                  : colours::faint);
}

void FilesPage::showPaused() {
  pause_.setButtonText(queue_.isPaused() ? "Start" : "Pause");
  pause_.setTitle(pause_.getButtonText());
  pause_.setTooltip(queue_.isPaused() ? "Separates what waits in the list, one file after the other"
                                      : "What runs goes on to its end; what is added waits for Start");
}

// What has been taken off the list has no button to stop it.
void FilesPage::stopOrphan() {
  const juce::File& playing = processor_.preview().playing();
  const auto& items = queue_.items();
  const bool isListed = std::any_of(items.begin(), items.end(), [&](const FileQueue::Item& item) {
    return !item.stems.empty() && item.stems.front().file == playing;
  });
  if (playing != juce::File() && !isListed) processor_.preview().stop();
}

void FilesPage::layOut() {
  layOutList(rows_);
  auto top = head();
  for (juce::Component* part :
       {static_cast<juce::Component*>(&clear_), static_cast<juce::Component*>(&pause_),
        static_cast<juce::Component*>(&capture_)}) {
    part->setBounds(top.removeFromRight(part == &capture_ ? 96 : 84));
    top.removeFromRight(kGap);
  }
  auto bar = buttonLine();
  const auto place = [&](juce::Component& part, int widthOfPart) {
    part.setBounds(bar.removeFromLeft(widthOfPart));
    bar.removeFromLeft(kGap);
  };
  place(add_, 96);
  place(model_, std::max(110, std::min(190, bar.getWidth() - 180)));
  place(format_, 96);
  place(folder_, 70);
}

juce::String FilesPage::footerText() const {
  if (const juce::String& problem = processor_.capture().problem(); problem.isNotEmpty()) return problem;
  return (queue_.isPaused() ? "Paused: add songs, then press Start. " : "") + juce::String("Stems go to ") +
         queue_.settings().folder.getFullPathName() +
         ". They are named after the recording and have its length. Drag a stem into the DAW, "
         "or a song by its name for all of them";
}

void FilesPage::paintOverChildren(juce::Graphics& g) {
  if (!rows_.empty()) return;
  g.setColour(colours::faint);
  g.setFont(StemlaneLook::font(16.0F));
  g.drawFittedText(queue_.isPaused() ? "Drop songs here, then press Start"
                                     : "Drop songs here: their stems are made in the background",
                   body(), juce::Justification::centred, 2);
}

}  // namespace stemlane
