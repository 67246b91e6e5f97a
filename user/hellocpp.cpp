// A C++20 program with the standard library: counts the words of its standard input, or of its
// arguments, and prints the most frequent ones. Exercises the heap, iostreams and exceptions.
#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Words = std::vector<std::string>;

Words words_to_count(int argc, char* argv[]) {
    Words words(argv + 1, argv + argc);
    if (words.empty())
        std::ranges::copy(std::views::istream<std::string>(std::cin), std::back_inserter(words));
    if (words.empty()) throw std::invalid_argument{"no words to count"};
    return words;
}

}  // namespace

int main(int argc, char* argv[]) try {
    std::map<std::string, int> counts;
    for (const auto& word : words_to_count(argc, argv)) ++counts[word];

    std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
    std::ranges::stable_sort(sorted, std::greater{},
                             [](const auto& entry) { return entry.second; });
    for (const auto& [word, count] : sorted | std::views::take(5))
        std::cout << count << ' ' << word << '\n';
} catch (const std::exception& error) {
    std::cerr << "hellocpp: " << error.what() << '\n';
    return 1;
}
