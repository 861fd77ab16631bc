// SPDX-License-Identifier: MIT
// A host that waits to be killed: fake_host MANNER FILE writes the number of its engine into the file.
#include <fstream>
#include <string>

#include "engine_fixture.h"

using namespace stemlane;

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::string manner = arguments[1];
  StemStream stream;
  stream.prepare(config_for(manner == "stopped" ? "works" : manner));
  if (!wait_for([&] {
        return manner == "hangs" ? children().size() == 1 : stream.status().state == EngineState::ready;
      }))
    return 1;
  const int engine = children().at(0);
  if (manner == "stopped") stop_process(engine);
  std::ofstream(arguments[2]) << engine << '\n';
  hang();
}
