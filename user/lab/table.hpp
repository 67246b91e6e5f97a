// A table of a lab program, printed for people or as the "rows" of its JSON, from the same cells.
#pragma once

#include <algorithm>

#include "user/lab/json.hpp"

namespace lab {

// What is printed, and what the JSON says: `2 of 5` may be 2 there.
struct Cell {
    std::string shown, value;
    Cell(const std::string& text) : shown(text), value(json(text)) {}
    Cell(const char* text) : Cell(std::string(text)) {}
    template <std::integral T>
    Cell(T number) : shown(std::to_string(number)), value(json(number)) {}
    Cell(Decimal number) : shown(json(number)), value(shown) {}
    template <typename T>
    Cell(std::string text, const T& number) : shown(std::move(text)), value(json(number)) {}
};

class Table {
  public:
    struct Column {
        const char *key, *heading;
    };
    Table(std::initializer_list<Column> columns) : columns_(columns) {}
    void row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

    // Text to the left, numbers to the right.
    void print() const {
        std::vector<size_t> widths;
        for (size_t c = 0; c < columns_.size(); ++c) {
            size_t width = std::string_view(columns_[c].heading).size();
            for (const auto& row : rows_) width = std::max(width, row[c].shown.size());
            widths.push_back(width);
        }
        auto line = [&](auto&& text_of) {
            std::string line;
            for (size_t c = 0; c < columns_.size(); ++c) {
                const std::string text = text_of(c);
                const std::string pad(widths[c] - text.size(), ' ');
                line += (c ? "  " : "") + (is_text(c) ? text + pad : pad + text);
            }
            line.erase(line.find_last_not_of(' ') + 1);
            puts(line.c_str());
        };
        line([&](size_t c) { return std::string(columns_[c].heading); });
        for (const auto& row : rows_) line([&](size_t c) { return row[c].shown; });
        fflush(stdout);
    }
    std::vector<Object> rows() const {
        std::vector<Object> all;
        for (const auto& row : rows_) {
            Object object;
            for (size_t c = 0; c < columns_.size(); ++c)
                object.add(columns_[c].key, Raw{row[c].value});
            all.push_back(object);
        }
        return all;
    }

  private:
    bool is_text(size_t column) const {
        return rows_.empty() || std::ranges::any_of(rows_, [&](const auto& row) {
                   const std::string& value = row[column].value;
                   return value.starts_with('"') || value.starts_with('[') || value == "true" ||
                          value == "false";
               });
    }
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace lab
