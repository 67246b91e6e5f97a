"""serve.py PLACE BASE PORT [CHROMIUM]: serves PLACE/site at http://127.0.0.1:PORT/BASE, or, with a CHROMIUM, prints its
print.html pages as PDFs and ends."""
import functools
import http.server
import os
import subprocess
import sys
import tempfile
import threading


def handler(site, base):
    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, '.js': 'text/javascript'}

        def translate_path(self, path):
            return super().translate_path(path[len(base) - 1:] if path.startswith(base) else '/none')

        def send_head(self):
            """Pages are found without .html, too, as on most servers."""
            path = self.translate_path(self.path)
            if not os.path.exists(path) and os.path.exists(path + '.html'):
                self.path = self.path.split('#')[0].split('?')[0] + '.html'
            return super().send_head()

        def log_message(self, *_):
            pass
    return functools.partial(Handler, directory=site)


def server(site, base, port):
    for wanted in [port] if port else range(8100, 8200):
        try:
            return http.server.ThreadingHTTPServer(('127.0.0.1', wanted), handler(site, base))
        except (OSError, OverflowError) as error:
            if port:
                sys.exit(f'book: port {port}: {error}')
    sys.exit('book: no port from 8100 to 8199 is free; choose one by --port')


def print_pages(place, url, chromium):
    with tempfile.TemporaryDirectory() as profile:
        for page, name in (('print.html', 'orrery.pdf'), ('zh/print.html', 'orrery.zh.pdf')):
            file = os.path.join(os.path.abspath(place), name)
            if os.path.exists(file):
                os.unlink(file)
            run = subprocess.run([chromium, '--headless', '--no-sandbox', '--disable-gpu', f'--user-data-dir={profile}',
                                  '--no-pdf-header-footer', '--generate-pdf-document-outline', '--virtual-time-budget=20000',
                                  f'--print-to-pdf={file}', url + page], capture_output=True, text=True, timeout=500)
            if run.returncode or not os.path.exists(file):
                sys.exit(f'book: Chromium could not print {page}: {run.stderr.strip()[-300:]}')
            print(os.path.join(place, name))


def main():
    place, base, port, chromium = *sys.argv[1:4], (sys.argv[4:] or [''])[0]
    serving = server(os.path.join(place, 'site'), base, int(port))
    url = f'http://127.0.0.1:{serving.server_port}{base}'
    if chromium:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        print_pages(place, url, chromium)
        return
    print(f'{url}   (Ctrl-C ends it)', flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == '__main__':
    main()
