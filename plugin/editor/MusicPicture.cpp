// SPDX-License-Identifier: GPL-3.0-or-later
// See MusicPicture.h.
#include "editor/MusicPicture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kAxisWidth = 34;
// Columns come at the pace of the frames.
constexpr double kColumnsPerSecond = 30.0;
constexpr int kBandPixels = 2;
// From black to full colour, in dB of full scale.
constexpr float kDarkestDb = -84.0F;
constexpr float kBrightestDb = -24.0F;
constexpr float kLightExponent = 1.6F;

juce::Colour mixedColour(const StemSpectra::Column& column, std::size_t band, bool separated) {
  float total = 0.0F;
  float weights = 0.0F;
  float red = 0.0F;
  float green = 0.0F;
  float blue = 0.0F;
  for (int stem = 0; stem < kNumStems; ++stem) {
    const float power = column[static_cast<std::size_t>(stem)][band];
    // Less than the power keeps a soft stem visible beside a loud one, more than the level keeps colours
    // pure.
    const float level = std::sqrt(power);
    const float weight = level * std::sqrt(level);
    const juce::Colour colour = separated ? colours::stem(stem) : colours::faint;
    total += level;
    weights += weight;
    red += weight * colour.getFloatRed();
    green += weight * colour.getFloatGreen();
    blue += weight * colour.getFloatBlue();
  }
  if (!(total > 0.0F)) return colours::groove;
  const float levelDb = juce::Decibels::gainToDecibels(total, -200.0F);
  const float light = juce::jlimit(0.0F, 1.0F, (levelDb - kDarkestDb) / (kBrightestDb - kDarkestDb));
  return colours::groove.interpolatedWith(
      juce::Colour::fromFloatRGBA(red / weights, green / weights, blue / weights, 1.0F),
      std::pow(light, kLightExponent));
}

}  // namespace

MusicPicture::MusicPicture() {
  setOpaque(true);
  setTitle("Picture of the music");
  setDescription("Energy of each stem over the last ten seconds, as heard after the faders");
  setTooltip("The last ten seconds as you hear them: each stem in its colour, low notes at the bottom");
}

void MusicPicture::show(StemTap& tap, double sampleRate, bool separated) {
  if (sampleRate <= 0.0 || getWidth() <= kAxisWidth || getHeight() <= 0) return;
  const auto scale = juce::Component::getApproximateScaleFactorForComponent(this) *
                     (getPeer() != nullptr ? static_cast<float>(getPeer()->getPlatformScaleFactor()) : 1.0F);
  const int width = juce::roundToInt(static_cast<float>(getWidth() - kAxisWidth) * scale);
  const int height = juce::roundToInt(static_cast<float>(getHeight()) * scale);
  if (image_.isNull() || image_.getWidth() != width || image_.getHeight() != height) {
    juce::Image image(juce::Image::RGB, width, height, false);
    image.clear(image.getBounds(), colours::groove);
    // What has been seen stays, in the new size.
    if (image_.isValid())
      juce::Graphics(image).drawImage(image_, image.getBounds().toFloat(),
                                      juce::RectanglePlacement::stretchToFit);
    image_ = std::move(image);
    repaint();
  }
  columnPixels_ = std::max(1, juce::roundToInt(width / (kSeconds * kColumnsPerSecond)));
  const double columnSeconds = kSeconds * columnPixels_ / width;
  const int numBands = std::max(1, height / kBandPixels);
  if (!spectra_.isSetUpFor(sampleRate, numBands, columnSeconds))
    spectra_.setUp(sampleRate, numBands, columnSeconds);
  bool changed = false;
  spectra_.read(tap, [&](const StemSpectra::Column& column) {
    addColumn(column, separated);
    changed = true;
  });
  if (changed) repaint(getLocalBounds().withTrimmedLeft(kAxisWidth));
}

void MusicPicture::addColumn(const StemSpectra::Column& column, bool separated) {
  const int x = image_.getWidth() - columnPixels_;
  image_.moveImageSection(0, 0, columnPixels_, 0, x, image_.getHeight());
  juce::Image::BitmapData pixels(image_, x, 0, columnPixels_, image_.getHeight(),
                                 juce::Image::BitmapData::writeOnly);
  const auto numBands = column[0].size();
  for (std::size_t band = 0; band < numBands; ++band) {
    const juce::Colour colour = mixedColour(column, band, separated);
    const int bottom = image_.getHeight() - static_cast<int>(band) * kBandPixels;
    for (int y = std::max(0, bottom - kBandPixels); y < bottom; ++y)
      for (int dx = 0; dx < columnPixels_; ++dx) pixels.setPixelColour(dx, y, colour);
  }
}

void MusicPicture::paint(juce::Graphics& g) {
  const auto area = getLocalBounds().withTrimmedLeft(kAxisWidth).toFloat();
  g.fillAll(colours::groove);
  if (image_.isValid())
    g.drawImageTransformed(
        image_, juce::AffineTransform::scale(area.getWidth() / static_cast<float>(image_.getWidth()),
                                             area.getHeight() / static_cast<float>(image_.getHeight()))
                    .translated(area.getX(), 0.0F));
  if (!g.getClipBounds().intersects(juce::Rectangle<int>(kAxisWidth, getHeight()))) return;
  g.setColour(colours::groove);
  g.fillRect(0, 0, kAxisWidth, getHeight());
  g.setColour(colours::faint);
  g.setFont(StemlaneLook::font(10.5F));
  struct Mark {
    double hz;
    const char* text;
  };
  for (const Mark& mark : {Mark{100.0, "100"}, Mark{1000.0, "1k"}, Mark{10000.0, "10k"}}) {
    const double octaves = std::log2(StemSpectra::kHighestHz / StemSpectra::kLowestHz);
    const double up = std::log2(mark.hz / StemSpectra::kLowestHz) / octaves;
    const int y = juce::roundToInt(getHeight() * (1.0 - up));
    g.drawText(mark.text, 0, y - 7, kAxisWidth - 8, 14, juce::Justification::centredRight, false);
    g.fillRect(kAxisWidth - 5, y, 4, 1);
  }
}

}  // namespace stemlane
