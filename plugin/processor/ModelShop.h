// SPDX-License-Identifier: GPL-3.0-or-later
// What is known of the models that are here and of those that can be added, and adding one. The engine's
// command line does the work; nothing is fetched before `add` is called.
#pragma once

#include <juce_events/juce_events.h>

#include <string>
#include <vector>

#include "processor/EngineJob.h"

namespace stemlane {

/// A model as `stemlane models list --json` tells of it.
struct ShopEntry {
  juce::String name;
  juce::String title;
  juce::String source;  ///< what adds it; empty if it is here
  int numStems = 0;
  std::vector<double> latencySeconds;
  double processorSeconds = 0.0;  ///< of one core for a second of music; 0: not known
  int megabytes = 0;              ///< to be fetched
  juce::String quality, licence, statedIn, notice;
  juce::String problem;  ///< why it cannot be used

  bool isInstalled() const { return source.isEmpty(); }
};

/// Tells its listeners of each change. Message thread only.
class ModelShop final : public juce::ChangeBroadcaster {
 public:
  explicit ModelShop(const std::string& engine);

  /// Asks what there is; the answer comes later, and the last one stays until then.
  void refresh();
  bool isListing() const { return listing_.isRunning(); }
  const std::vector<ShopEntry>& entries() const { return entries_; }

  /// Adds a model in the background: `source` as `stemlane models add` takes it, also the path of a file of
  /// weights. `accepted`: the user has agreed to its licence. One at a time.
  void add(const juce::String& source, bool accepted);
  void cancel() { adding_.cancel(); }
  bool isAdding() const { return adding_.isRunning(); }

  /// How the last call of `add` stands.
  struct Order {
    juce::String source;
    juce::String stage;     ///< "downloading"
    double share = -1.0;    ///< done of it, 0 to 1; below 0: not known
    juce::String question;  ///< what must be agreed to first
    juce::String problem;   ///< why it has failed
    juce::StringArray added;
  };
  const Order& order() const { return order_; }
  /// Takes the outcome off the screen.
  void forget() { order_ = {}; }
  void poll();

 private:
  void takeProgress(const juce::var& line);

  EngineJob listing_, adding_;
  std::vector<ShopEntry> entries_, incoming_;
  Order order_;
};

}  // namespace stemlane
