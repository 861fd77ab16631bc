// SPDX-License-Identifier: MIT
// See x11_client.h. Selections: https://tronche.com/gui/x/icccm/sec-2.html, drags:
// https://www.freedesktop.org/wiki/Specifications/XDND/
#include "x11_client.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace {

constexpr int kMostTries = 1000;
constexpr long kMostQuads = 1 << 16;

void wait_a_little(const std::function<void()>& pump) {
  pump();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace

struct X11Client::Connection {
  Display* display = XOpenDisplay(nullptr);
  Window window = 0;
  Atom selection = 0;

  Connection() {
    if (display == nullptr) throw std::runtime_error("no X server: run the tests with xvfb-run");
    window = XCreateSimpleWindow(display, DefaultRootWindow(display), 0, 0, 1, 1, 0, 0, 0);
    selection = XInternAtom(display, "XdndSelection", False);
  }
  ~Connection() { XCloseDisplay(display); }
};

X11Client::X11Client() : x_(std::make_unique<Connection>()) {}
X11Client::~X11Client() = default;

bool X11Client::is_dragged() const {
  return XGetSelectionOwner(x_->display, x_->selection) != None;
}

std::string X11Client::dragged(const std::function<void()>& pump) {
  const Atom property = XInternAtom(x_->display, "DRAGGED", False);
  XConvertSelection(x_->display, x_->selection, XInternAtom(x_->display, "text/uri-list", False), property,
                    x_->window, CurrentTime);
  XEvent event;
  int tries = 0;
  while (XCheckTypedWindowEvent(x_->display, x_->window, SelectionNotify, &event) == False) {
    if (++tries == kMostTries) return {};
    wait_a_little(pump);
  }
  if (event.xselection.property == None) return {};
  Atom type = 0;
  int bits = 0;
  unsigned long count = 0;
  unsigned long left = 0;
  unsigned char* bytes = nullptr;
  XGetWindowProperty(x_->display, x_->window, property, 0, kMostQuads, True, AnyPropertyType, &type, &bits,
                     &count, &left, &bytes);
  if (bytes == nullptr) return {};
  std::string text(reinterpret_cast<const char*>(bytes), count);
  XFree(bytes);
  return text;
}

void X11Client::end(const std::function<void()>& pump) {
  // Who loses the selection is told so, and drags no more.
  XSetSelectionOwner(x_->display, x_->selection, x_->window, CurrentTime);
  XSetSelectionOwner(x_->display, x_->selection, None, CurrentTime);
  XSync(x_->display, False);
  for (int i = 0; i < 20; ++i) wait_a_little(pump);
}
