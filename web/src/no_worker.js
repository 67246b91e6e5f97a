// v86 times its slices by a worker of its own where there is one. clock.js does it here, so that nothing
// is lost where the browser or a policy of the host blocks workers.
delete globalThis.Worker;
