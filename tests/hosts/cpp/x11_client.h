// SPDX-License-Identifier: MIT
// Another client of the X server, as a file manager is: asks the one that drags for what it drags. Apart, as
// Xlib's macros and JUCE's names do not go together.
#pragma once

#include <functional>
#include <memory>
#include <string>

class X11Client {
 public:
  X11Client();
  ~X11Client();
  X11Client(const X11Client&) = delete;
  X11Client& operator=(const X11Client&) = delete;

  /// Whether some client drags something.
  bool is_dragged() const;
  /// The list of addresses that is dragged; empty if there is none. `pump` lets the client that drags answer.
  std::string dragged(const std::function<void()>& pump);
  /// Ends the drag, as if it had been let go where nobody wants it.
  void end(const std::function<void()>& pump);

 private:
  struct Connection;
  std::unique_ptr<Connection> x_;
};
