// Random numbers of the lab programs: the same sequence for the same seed, on every machine.
#pragma once

#include <cstdint>
#include <random>

namespace lab {

class Random {
  public:
    explicit Random(long seed) : engine_(static_cast<uint32_t>(seed)) {}
    long between(long least, long most) {
        return least + static_cast<long>(engine_() % static_cast<uint32_t>(most - least + 1));
    }
    bool chance(long percent) { return between(1, 100) <= percent; }

  private:
    std::mt19937 engine_;
};

}  // namespace lab
