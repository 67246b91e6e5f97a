// The book for VitePress. pages.py writes the pages and plan.json: their order, titles, languages.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { tokenize } from './tokens.mjs';

const plan = JSON.parse(readFileSync(new URL('../plan.json', import.meta.url), 'utf8'));
const base = process.env.BOOK_BASE ?? '/';
const chinese = {
  outline: { label: '本页', level: [2, 3] }, docFooter: { prev: '上一页', next: '下一页' }, darkModeSwitchLabel: '外观',
  lightModeSwitchTitle: '浅色', darkModeSwitchTitle: '深色', sidebarMenuLabel: '目录', returnToTopLabel: '回到顶部',
  langMenuLabel: '语言', skipToContentLabel: '跳到正文',
};
const searchInChinese = {
  button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
  modal: { displayDetails: '详细', resetButtonTitle: '清除', backButtonTitle: '返回', noResultsText: '没有结果：',
    footer: { selectText: '打开', navigateText: '移动', closeText: '关闭' } },
};

// As GitHub makes them, so that a link to a heading works in both places.
const slugify = text => text.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replace(/ /g, '-');

export default defineConfig({
  srcDir: 'pages', outDir: 'site', base, appearance: true,
  head: [['link', { rel: 'icon', href: `${base}icon.svg` }]],
  locales: {
    root: { label: 'English', lang: 'en', ...plan.en, themeConfig: { sidebar: plan.en.sidebar, outline: { level: [2, 3] } } },
    zh: { label: '中文', lang: 'zh-CN', ...plan.zh, themeConfig: { sidebar: plan.zh.sidebar, ...chinese } },
  },
  themeConfig: {
    search: { provider: 'local', options: {
      locales: { zh: { translations: searchInChinese } },
      miniSearch: { options: { tokenize }, searchOptions: { combineWith: 'AND', fuzzy: 0.15, prefix: true } },
    } },
  },
  markdown: { anchor: { slugify } },
  vite: { build: { chunkSizeWarningLimit: 5000 } },
});
