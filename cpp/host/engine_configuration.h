// SPDX-License-Identifier: MIT
// The text file engine.conf, lines "key=value": what the user has set for engines. The Python package reads
// it in engine/providers.py. Not for the audio thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace stemlane {

/// The user's engine.conf, which need not exist; empty if the user has no home.
std::filesystem::path user_engine_configuration();

/// The value of the first line that begins with `key`, which ends with "="; empty if there is none, or none
/// that can be meant: control characters, more than 4096 bytes.
std::string configured(std::string_view text, std::string_view key);

/// The same of a file, which need not exist.
std::string configured_in(const std::filesystem::path& file, std::string_view key);

/// `text` with the line that begins with `key` set to `value`, or without it if that is empty. Other lines
/// stay as they are.
std::string with_setting(std::string_view text, std::string_view key, std::string_view value);

/// Sets a line of a file; the folder is made if need be. The file is the old one or the new one at any time,
/// and a link stays one. What cannot be read whole (more than 65536 bytes, a folder) is left as it is.
/// Returns why it could not be written; empty if it has been.
std::string set_configured(const std::filesystem::path& file, std::string_view key, std::string_view value);

}  // namespace stemlane
