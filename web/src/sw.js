// Keeps every file of this version of the page once it has come, so that the page works without a
// network from then on. `/* @list */` is filled in by build.mjs: the version and the names.
const { version, names } = /* @list */ { version: '', names: [] };

self.addEventListener('install', event => event.waitUntil(
  caches.open(version).then(cache => cache.addAll(names)).then(() => self.skipWaiting())));
self.addEventListener('activate', event => event.waitUntil(
  caches.keys().then(all => Promise.all(all.filter(name => name !== version).map(name => caches.delete(name))))
    .then(() => self.clients.claim())));
self.addEventListener('fetch', event => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then(found => found ??
    fetch(event.request).then(answer => {
      if (!answer.ok) return answer;
      const copy = answer.clone();
      return caches.open(version).then(cache => cache.put(event.request, copy)).then(() => answer);
    })));
});
