// SPDX-License-Identifier: GPL-3.0-or-later
// See ModelsPage.h.
#include "editor/ModelsPage.h"

#include <algorithm>

#include "editor/ModelBox.h"
#include "editor/StemlaneLook.h"
#include "editor/WrappedText.h"
#include "processor/RememberedLoads.h"

namespace stemlane {
namespace {

constexpr int kTopHeight = 23;
constexpr int kButtonWidth = 84;
const char* const kWeights = "*.onnx;*.th;*.safetensors;*.ckpt;*.tar.gz;*.tgz";

juce::String joined(const juce::StringArray& parts) {
  juce::StringArray said = parts;
  said.removeEmptyStrings();
  return said.joinIntoString(juce::String::fromUTF8(" \u00b7 "));
}

juce::String seconds(double value) {
  return value < 1.0 ? juce::String(juce::roundToInt(1000.0 * value)) + " ms" : juce::String(value, 1) + " s";
}

}  // namespace

/// One model: name and facts, below them quality and licence, and a button.
class ModelsPage::Row final : public juce::Component {
 public:
  Row(const ShopEntry& entry, const juce::String& facts, const juce::String& action, bool enabled)
      : title_(entry.title),
        facts_(facts),
        below_(entry.problem.isNotEmpty() ? entry.problem : joined({entry.quality, entry.licence})) {
    setTitle(title_);
    setDescription(facts_ + "; " + below_);
    button_.setButtonText(action);
    button_.setTitle(action + " " + title_);
    button_.setTooltip(below_);
    button_.setEnabled(enabled);
    addAndMakeVisible(button_);
  }
  juce::TextButton& button() { return button_; }
  int heightFor(int width) const { return kTopHeight + wrappedHeight(below_, textWidth(width)) + 7; }

  void paint(juce::Graphics& g) override {
    g.setColour(colours::outline);
    g.fillRect(getLocalBounds().removeFromBottom(1));
    auto area = getLocalBounds().withWidth(textWidth(getWidth()) + 2).withTrimmedLeft(2);
    const auto top = area.removeFromTop(kTopHeight).withTrimmedTop(4);
    g.setFont(StemlaneLook::font(13.0F));
    g.setColour(colours::faint);
    g.drawText(facts_, top, juce::Justification::centredRight);
    drawWrapped(g, below_, area, colours::faint);
    g.setColour(colours::text);
    g.setFont(StemlaneLook::font(14.0F, true));
    g.drawText(title_, top, juce::Justification::centredLeft);
  }
  void resized() override {
    button_.setBounds(getLocalBounds().removeFromRight(kButtonWidth).withSizeKeepingCentre(kButtonWidth, 26));
  }

 private:
  static int textWidth(int width) { return width - kButtonWidth - 16; }

  const juce::String title_, facts_, below_;
  juce::TextButton button_;
};

ModelsPage::ModelsPage(StemlaneProcessor& processor)
    : ListPage("Models"), processor_(processor), shop_(processor.shop()) {
  own_.setTitle("Your own file");
  own_.setTooltip("Weights of UVR, Demucs, SCNet, RoFormer or Spleeter; they can be dropped here, too");
  own_.onClick = [this] { chooseFile(); };
  accept_.setTitle(accept_.getButtonText());
  accept_.onClick = [this] { accept(); };
  cancel_.setTitle(cancel_.getButtonText());
  cancel_.onClick = [this] { refuse(); };
  addAndMakeVisible(own_);
  addChildComponent(accept_);
  addChildComponent(cancel_);
  shop_.addChangeListener(this);
  shop_.refresh();
  refresh();
}

ModelsPage::~ModelsPage() {
  shop_.removeChangeListener(this);
}

void ModelsPage::choose(const ShopEntry& entry) {
  rememberLoadOf(processor_);
  if (entry.isInstalled())
    processor_.setModel(entry.name.toStdString());
  else
    asked_ = entry;
  refresh();
}

void ModelsPage::ask(const ShopEntry& wanted) {
  asked_ = wanted;
  refresh();
}

void ModelsPage::chooseFile() {
  chooser_ = std::make_unique<juce::FileChooser>("Weights of a separation model", juce::File(), kWeights);
  chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                        [this](const juce::FileChooser& chosen) {
                          if (chosen.getResult() == juce::File()) return;
                          ShopEntry own;
                          own.title = chosen.getResult().getFileName();
                          own.source = chosen.getResult().getFullPathName();
                          ask(own);
                        });
}

void ModelsPage::accept() {
  if (!shop_.order().question.isEmpty())
    shop_.add(shop_.order().source, true);
  else if (asked_)
    // Of a file nobody knows yet what it is: if its makers restrict its use, the question comes back.
    shop_.add(asked_->source, asked_->licence.isNotEmpty());
  asked_.reset();
  refresh();
}

void ModelsPage::refuse() {
  if (shop_.isAdding())
    shop_.cancel();
  else
    shop_.forget();
  asked_.reset();
  refresh();
}

juce::String ModelsPage::factsOf(const ShopEntry& entry) const {
  const auto models = installedModels();
  juce::String stems = juce::String(entry.numStems) + " stems";
  juce::String latency;
  const ModelDescriptor* here = find_model(models, entry.name.toStdString());
  if (entry.isInstalled() && here != nullptr) {
    stems = ModelBox::factsOf(*here, processor_.getSampleRate());
  } else {
    for (const double value : entry.latencySeconds)
      latency += (latency.isEmpty() ? "" : " or ") + seconds(value);
  }
  double load = entry.isInstalled() ? rememberedLoad(entry.name.toStdString()) : 0.0;
  if (entry.name == juce::String(processor_.modelName())) load = loadOf(processor_);
  if (!(load > 0.0)) load = entry.processorSeconds;
  return joined({stems, latency, ModelBox::loadText(load),
                 entry.megabytes > 0 ? juce::String(entry.megabytes) + " MB" : juce::String()});
}

void ModelsPage::listRows() {
  rows_.clear();
  for (const ShopEntry& entry : shop_.entries()) {
    const bool inUse = entry.isInstalled() && entry.name == juce::String(processor_.modelName());
    const juce::String action = !entry.isInstalled() ? juce::String::fromUTF8("Add\u2026")
                                : inUse              ? juce::String("In use")
                                                     : juce::String("Use");
    const bool enabled = entry.problem.isEmpty() && !inUse && (entry.isInstalled() || !shop_.isAdding());
    auto row = std::make_unique<Row>(entry, factsOf(entry), action, enabled);
    row->button().onClick = [this, entry] {
      // The row that is clicked is made anew.
      juce::Component::SafePointer<ModelsPage> page(this);
      juce::MessageManager::callAsync([page, entry] {
        if (page != nullptr) page->choose(entry);
      });
    };
    content_.addAndMakeVisible(*row);
    rows_.push_back(std::move(row));
  }
}

juce::String ModelsPage::footerText() const {
  const ModelShop::Order& order = shop_.order();
  const juce::String name =
      juce::File::isAbsolutePath(order.source) ? juce::File(order.source).getFileName() : order.source;
  if (shop_.isAdding())
    return name + ": " + order.stage +
           (order.share >= 0.0 ? ", " + juce::String(juce::roundToInt(100.0 * order.share)) + " %" : "");
  if (order.question.isNotEmpty()) return order.question;
  if (asked_ && asked_->licence.isEmpty())
    return asked_->title + ": only add weights from someone you trust. They are checked and converted here";
  if (asked_)
    return asked_->title + ", " + juce::String(asked_->megabytes) +
           " MB from its makers' server. Licence: " + asked_->licence +
           (asked_->statedIn.isEmpty() ? "" : ", " + asked_->statedIn) +
           (asked_->notice.isEmpty()
                ? ""
                : ". " + asked_->notice.substring(0, 1).toUpperCase() + asked_->notice.substring(1));
  if (order.problem.isNotEmpty()) return order.problem;
  if (!order.added.isEmpty()) return "Added: " + order.added.joinIntoString(", ");
  if (shop_.isListing() && shop_.entries().empty()) return juce::String::fromUTF8("Looking\u2026");
  return "Nothing is fetched before you ask for it";
}

void ModelsPage::refresh() {
  if (!shop_.order().added.isEmpty()) processor_.modelsHaveChanged();
  // Rows are made anew only when something about them has changed: they have the keyboard and the mouse.
  juce::String wanted = juce::String(processor_.modelName()) + (shop_.isAdding() ? " adding" : "");
  for (const ShopEntry& entry : shop_.entries())
    wanted << "\n" << entry.name << entry.source << entry.problem;
  if (wanted != listed_) listRows();
  listed_ = wanted;
  const bool asks = asked_.has_value() || shop_.order().question.isNotEmpty();
  accept_.setVisible(asks && !shop_.isAdding());
  cancel_.setVisible(asks || shop_.isAdding() || shop_.order().problem.isNotEmpty());
  own_.setVisible(!asks && !shop_.isAdding());
  const bool isBad = shop_.order().problem.isNotEmpty() && !shop_.isAdding() && !asked_;
  say(footerText(), isBad ? colours::bad : colours::text);
}

void ModelsPage::layOut() {
  layOutList(rows_);
  auto buttons = buttonLine();
  own_.setBounds(buttons.removeFromRight(126));
  accept_.setBounds(own_.getBounds());
  cancel_.setBounds(buttons.withTrimmedRight(8).removeFromRight(84));
  if (!accept_.isVisible()) cancel_.setBounds(own_.getBounds());
}

void ModelsPage::paint(juce::Graphics& g) {
  ListPage::paint(g);
  if (!shop_.isAdding()) return;
  auto bar = buttonLine();
  bar = bar.withRight(cancel_.getX() - 20).withSizeKeepingCentre(cancel_.getX() - 20 - bar.getX(), 6);
  g.setColour(colours::groove);
  g.fillRect(bar);
  g.setColour(colours::focus);
  g.fillRect(bar.withWidth(juce::roundToInt(bar.getWidth() * std::max(0.0, shop_.order().share))));
}

}  // namespace stemlane
