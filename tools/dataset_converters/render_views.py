from pcdet_kd.cli.render_views import main

if __name__ == '__main__':
    raise SystemExit(main())
