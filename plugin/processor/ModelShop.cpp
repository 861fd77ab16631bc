// SPDX-License-Identifier: GPL-3.0-or-later
// See ModelShop.h.
#include "processor/ModelShop.h"

#include <utility>

namespace stemlane {
namespace {

constexpr std::size_t kMostEntries = 1000;

ShopEntry entryOf(const juce::var& line) {
  ShopEntry entry;
  const auto text = [&](const char* field) { return line[field].toString().substring(0, 500); };
  entry.name = text("name");
  entry.title = text("title").isNotEmpty() ? text("title") : entry.name;
  entry.source = text("source");
  entry.numStems = line["stems"].size();
  if (const auto* seconds = line["latency_seconds"].getArray())
    for (const juce::var& value : *seconds) entry.latencySeconds.push_back(value);
  entry.processorSeconds = line["processor_seconds"];
  entry.megabytes = line["megabytes"];
  entry.quality = text("quality");
  entry.licence = text("licence");
  entry.statedIn = text("stated_in");
  entry.notice = text("notice");
  entry.problem = text("problem");
  return entry;
}

}  // namespace

ModelShop::ModelShop(const std::string& engine) : listing_(engine), adding_(engine) {
  listing_.onLine = [this](const juce::var& line) {
    // What is here is shown once.
    if (incoming_.size() < kMostEntries && !line["is_here"]) incoming_.push_back(entryOf(line));
  };
  listing_.onEnd = [this](const juce::String& problem) {
    if (problem.isEmpty())
      entries_ = std::move(incoming_);
    else if (order_.problem.isEmpty())
      order_.problem = problem;
    sendChangeMessage();
  };
  adding_.onLine = [this](const juce::var& line) { takeProgress(line); };
  adding_.onEnd = [this](const juce::String& problem) {
    // A question is no failure: it is asked, and the answer comes with the next call.
    order_.problem = order_.question.isEmpty() ? problem : juce::String();
    order_.stage = {};
    if (problem.isEmpty()) refresh();
    sendChangeMessage();
  };
}

void ModelShop::refresh() {
  incoming_.clear();
  listing_.start({"models", "list", "--json"});
}

void ModelShop::add(const juce::String& source, bool accepted) {
  if (isAdding()) return;
  const juce::String wanted = source;  // it may be a part of the order
  order_ = {};
  order_.source = wanted;
  order_.stage = "starting";
  std::vector<std::string> arguments = {"models", "add", wanted.toStdString(), "--json"};
  if (accepted) arguments.emplace_back("--accept-licence");
  adding_.start(arguments);
  sendChangeMessage();
}

void ModelShop::takeProgress(const juce::var& line) {
  if (line.hasProperty("question")) order_.question = line["question"].toString();
  if (line.hasProperty("stage")) {
    order_.stage = line["stage"].toString();
    const double total = line["total"];
    order_.share = total > 0.0 ? juce::jlimit(0.0, 1.0, static_cast<double>(line["done"]) / total) : -1.0;
  }
  if (const auto* added = line["added"].getArray())
    for (const juce::var& model : *added) order_.added.add(model["name"].toString());
  sendChangeMessage();
}

void ModelShop::poll() {
  listing_.poll();
  adding_.poll();
}

}  // namespace stemlane
