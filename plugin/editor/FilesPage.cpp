// SPDX-License-Identifier: GPL-3.0-or-later
// See FilesPage.h.
#include "editor/FilesPage.h"

#include <algorithm>

#include "editor/StemChip.h"

namespace stemlane {
namespace {

constexpr int kRowHeight = 62;
constexpr int kGap = 6;
// The first ones need no FFmpeg, which the plugin's own Python does not have.
const char* const kFormats[] = {"wav", "flac", "ogg", "mp3", "m4a"};
constexpr int kNumWithoutFfmpeg = 3;

juce::String stateText(const FileQueue::Item& item) {
  switch (item.state) {
    case FileQueue::State::waiting:
      return "waiting";
    case FileQueue::State::running:
      return item.share > 0.0 ? juce::String(juce::roundToInt(100.0 * item.share)) + " %" : "starting";
    case FileQueue::State::done:
      return item.problem;
    case FileQueue::State::failed:
      return item.problem;
  }
  return {};
}

}  // namespace

/// One recording: its name, how it stands, and its stems once they are there.
class FilesPage::Row final : public juce::Component {
 public:
  Row(FileQueue& queue, int index) : queue_(queue), index_(index) {
    setInterceptsMouseClicks(false, true);
    button_.onClick = [this] {
      // The list may have become shorter since this row was drawn.
      const auto place = static_cast<std::size_t>(index_);
      if (place >= queue_.items().size()) return;
      const FileQueue::Item& item = queue_.items()[place];
      if (item.state == FileQueue::State::done && !item.stems.empty())
        item.stems.front().second.revealToUser();
      else
        queue_.remove(index_);
    };
    addAndMakeVisible(button_);
  }

  void show(const FileQueue::Item& item) {
    const bool otherStems = item.stems != item_.stems;
    item_ = item;
    setTitle(item.file.getFileName());
    setDescription(stateText(item));
    const bool done = item.state == FileQueue::State::done && !item.stems.empty();
    const bool stops = item.state == FileQueue::State::running;
    button_.setButtonText(done ? "Show folder" : stops ? "Cancel" : "Remove");
    button_.setTitle(button_.getButtonText() + " " + item.file.getFileName());
    if (otherStems) {
      chips_.clear();
      for (const auto& [name, file] : item.stems) {
        chips_.push_back(std::make_unique<StemChip>(name, file));
        addAndMakeVisible(*chips_.back());
      }
      resized();
    }
    repaint();
  }

  void paint(juce::Graphics& g) override {
    g.setColour(colours::outline);
    g.fillRect(getLocalBounds().removeFromBottom(1));
    auto area = getLocalBounds().withTrimmedRight(112).reduced(2, 6);
    const auto top = area.removeFromTop(20);
    g.setColour(colours::text);
    g.setFont(StemlaneLook::font(14.0F, true));
    g.drawText(item_.file.getFileName(), top, juce::Justification::centredLeft);
    g.setFont(StemlaneLook::font(13.0F));
    g.setColour(item_.state == FileQueue::State::failed ? colours::bad : colours::faint);
    const bool below = item_.state == FileQueue::State::failed;
    g.drawText(stateText(item_), below ? area : top,
               below ? juce::Justification::centredLeft : juce::Justification::centredRight);
    if (item_.state != FileQueue::State::running) return;
    const auto bar = area.withSizeKeepingCentre(area.getWidth(), 6);
    g.setColour(colours::groove);
    g.fillRect(bar);
    g.setColour(colours::focus);
    g.fillRect(bar.withWidth(juce::roundToInt(bar.getWidth() * item_.share)));
  }
  void resized() override {
    button_.setBounds(getLocalBounds().removeFromRight(100).withSizeKeepingCentre(100, 26));
    auto area = getLocalBounds().withTrimmedRight(112).reduced(2, 6).withTrimmedTop(22);
    for (auto& chip : chips_) {
      chip->setBounds(area.removeFromLeft(std::min(chip->bestWidth(), area.getWidth())));
      area.removeFromLeft(kGap);
    }
  }

 private:
  FileQueue& queue_;
  const int index_;
  FileQueue::Item item_;
  std::vector<std::unique_ptr<StemChip>> chips_;
  juce::TextButton button_;
};

FilesPage::FilesPage(StemlaneProcessor& processor)
    : ListPage("Files"), processor_(processor), queue_(processor.files()) {
  model_.setTitle("Model for files");
  model_.setTooltip("What separates the files that come next");
  format_.setTitle("Format");
  format_.setTooltip("Format of the stems: WAV is 32-bit float");
  for (const char* format : kFormats) {
    const int item = format_.getNumItems() + 1;
    format_.addItem(juce::String(format).toUpperCase(), item);
    format_.setItemEnabled(item, !ownPython_ || item <= kNumWithoutFfmpeg);
  }
  format_.setText(queue_.settings().format.toUpperCase(), juce::dontSendNotification);
  format_.onChange = [this] { queue_.settings().format = format_.getText().toLowerCase(); };
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
  for (juce::Component* part :
       {static_cast<juce::Component*>(&model_), static_cast<juce::Component*>(&format_),
        static_cast<juce::Component*>(&add_), static_cast<juce::Component*>(&folder_),
        static_cast<juce::Component*>(&clear_)})
    addAndMakeVisible(part);
  setDescription(footerText());
  queue_.addChangeListener(this);
  refresh();
}

void FilesPage::drop(const juce::StringArray& paths) {
  queue_.add(paths);
}

FilesPage::~FilesPage() {
  queue_.removeChangeListener(this);
}

void FilesPage::listModels() {
  for (const ModelDescriptor& model : installedModels()) {
    modelNames_.push_back(model.name);
    model_.addItem(juce::String::fromUTF8(model.title.c_str()), model_.getNumItems() + 1);
  }
  // The command line's default, by its name here.
  const std::string wanted = queue_.settings().model == "default" ? "mix" : queue_.settings().model;
  const auto found = std::find(modelNames_.begin(), modelNames_.end(), wanted);
  if (found != modelNames_.end())
    model_.setSelectedItemIndex(static_cast<int>(found - modelNames_.begin()), juce::dontSendNotification);
  model_.onChange = [this] {
    const int item = model_.getSelectedItemIndex();
    if (item >= 0) queue_.settings().model = modelNames_[static_cast<std::size_t>(item)];
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
        if (chosen.getResult() != juce::File()) queue_.settings().folder = chosen.getResult();
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
    rows_.push_back(std::make_unique<Row>(queue_, static_cast<int>(rows_.size())));
    content_.addAndMakeVisible(*rows_.back());
  }
  for (std::size_t i = 0; i < items.size(); ++i) rows_[i]->show(items[i]);
  layOut();
  repaint();
}

void FilesPage::layOut() {
  layOutList(rows_, [](const Row&) { return kRowHeight; });
  auto bar = footer().removeFromBottom(42).withTrimmedBottom(14);
  const auto place = [&](juce::Component& part, int widthOfPart) {
    part.setBounds(bar.removeFromLeft(widthOfPart));
    bar.removeFromLeft(kGap);
  };
  place(add_, 96);
  place(model_, std::max(110, std::min(190, bar.getWidth() - 270)));
  place(format_, 84);
  place(folder_, 70);
  place(clear_, 84);
}

juce::String FilesPage::footerText() const {
  if (const juce::String& problem = processor_.capture().problem(); problem.isNotEmpty()) return problem;
  return "Stems go to " + queue_.settings().folder.getFullPathName() +
         ". They are named after the recording and have its length. Drag them from here into the DAW";
}

void FilesPage::paint(juce::Graphics& g) {
  Page::paint(g);
  g.setColour(colours::faint);
  g.setFont(StemlaneLook::font(13.0F));
  g.drawFittedText(footerText(), footer().withTrimmedTop(6).removeFromTop(36), juce::Justification::topLeft,
                   2, 0.85F);
}

void FilesPage::paintOverChildren(juce::Graphics& g) {
  if (!rows_.empty()) return;
  g.setColour(colours::faint);
  g.setFont(StemlaneLook::font(16.0F));
  g.drawFittedText("Drop songs here: their stems are made in the background", body(),
                   juce::Justification::centred, 2);
}

}  // namespace stemlane
