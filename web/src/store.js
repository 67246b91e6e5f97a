// One kept moment, in the browser's own database (IndexedDB): too large for anything else.
const open = () => new Promise((done, fail) => {
  const request = indexedDB.open('orrery', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('moments');
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

async function use(mode, work) {
  const database = await open();
  return new Promise((done, fail) => {
    const transaction = database.transaction('moments', mode);
    const request = work(transaction.objectStore('moments'));
    transaction.oncomplete = () => { database.close(); done(request.result); };
    transaction.onerror = transaction.onabort = () => { database.close(); fail(transaction.error); };
  });
}

export const keep = moment => use('readwrite', store => store.put(moment, 'kept'));
export const kept = () => use('readonly', store => store.get('kept'));
