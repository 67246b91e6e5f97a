// See director.hpp.
#include "user/lab-sync/director.hpp"
#include "user/lab/command.hpp"

Director* Director::on;

namespace {

thread_local int number_of_this = -1;  // the main thread is no actor

void wait_for(sem_t& turn) {
    while (sem_wait(&turn) != 0) {
    }
}

}  // namespace

int Director::self() { return number_of_this; }

int Director::add() {
    actors_.push_back(std::make_unique<Actor>());
    Actor& actor = *actors_.back();
    actor.director = this;
    actor.number = actors() - 1;
    sem_init(&actor.turn, 0, 0);
    if (pthread_create(&actor.thread, nullptr, live, &actor)) lab::fail("no thread");
    return actor.number;
}

void Director::give(int number, std::function<void()> job) {
    Actor& actor = *actors_[static_cast<size_t>(number)];
    actor.job = std::move(job);
    actor.ready = true;
}

void Director::settle() {
    sem_post(&next_turn());
    wait_for(settled_);
}

void* Director::live(void* argument) {
    Actor& self = *static_cast<Actor*>(argument);
    number_of_this = self.number;
    for (;;) {
        wait_for(self.turn);
        self.job();
        self.job = nullptr;
        self.ready = false;
        sem_post(&self.director->next_turn());
    }
}

// Of an actor that can go on; of the main thread if there is none.
sem_t& Director::next_turn() {
    std::vector<Actor*> ready;
    for (const auto& actor : actors_)
        if (actor->ready) ready.push_back(actor.get());
    if (ready.empty()) return settled_;
    return ready[static_cast<size_t>(random_.between(0, static_cast<long>(ready.size()) - 1))]
        ->turn;
}

void Director::look() {
    if (self() < 0) return;
    sem_t &own = actors_[static_cast<size_t>(self())]->turn, &next = next_turn();
    if (&next == &own) return;
    sem_post(&next);
    wait_for(own);
}

void Director::sleep(const std::string& place) {
    Actor& actor = *actors_[static_cast<size_t>(self())];
    actor.ready = false;
    actor.place = place;
    sem_post(&next_turn());
    wait_for(actor.turn);
}
