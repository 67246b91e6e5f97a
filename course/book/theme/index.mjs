// VitePress's own look with the reader's own fonts, so that nothing is fetched.
import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;
