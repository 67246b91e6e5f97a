// What a lab program says line by line: printed at once, or with --json as rows {"says": LINE}.
#pragma once

#include "user/lab/json.hpp"

namespace lab {

class Lines {
  public:
    bool as_json = false;
    void say(const std::string& line) {
        rows_.push_back(Object().add("says", line));
        if (as_json) return;
        puts(line.c_str());
        fflush(stdout);
    }
    void end(const char* name, const std::vector<std::string>& words) const {
        if (!as_json) return;
        const Object input = Object().add("words", words);
        Object().add("lab", name).add("input", input).add("rows", rows_).print();
    }

  private:
    std::vector<Object> rows_;
};

}  // namespace lab
