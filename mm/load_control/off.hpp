// No load control: no program is suspended, however much they page.
#pragma once

#include "mm/load_control/policy.hpp"

class NoLoadControl : public LoadControl {
  public:
    static constexpr std::string_view kName = "off";

    LoadJudgement judge(const PagingLoad&) const override {
        return {.too_many = false, .room = true};
    }
};
